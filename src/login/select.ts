import type { GroupsConfig } from '../config/load.js';
import { CONFIG_SOURCE } from '../providers/own-sources.js';
import { compileGlob } from './glob.js';
import type { SourcedGroup } from './resolve.js';

/** A group that isn't passed on. */
export interface SkippedGroup {
  /** As its source names it. */
  readonly name: string;
  readonly provider: string;
  readonly reason: string;
  /** Whether the configuration asks for it: then it isn't worth a warning in each login's log. */
  readonly wanted: boolean;
  /** Whether the user should have had it: its source names it, and can't be read. Not for what `exclude` names. */
  readonly incomplete?: boolean | undefined;
}

/** Groups sorted into those to pass on and those to leave out. */
export interface Selection {
  readonly groups: readonly SourcedGroup[];
  readonly skipped: readonly SkippedGroup[];
}

/**
 * Applies `[groups]`: globs and `rename` see names as the source gives them, `case` comes last; what `add` names follows as it stands. Of
 * groups that end with the same name the first one stays. `known`: whether any provider knows the user; nobody else is given what `add`
 * names.
 */
export function selectGroups(found: readonly SourcedGroup[], config: GroupsConfig, known: boolean): Selection {
  const { whyLeftOut, finalName } = rulesOf(config);
  const groups = new Map<string, SourcedGroup>();
  const skipped: SkippedGroup[] = [];
  for (const group of found) {
    const { provider, skip, incomplete, wanted = false } = group;
    const unwanted = whyLeftOut(group.name, incomplete);
    const reason = unwanted ?? skip;
    const name = finalName(group.name);
    if (reason !== undefined)
      skipped.push({
        name: group.name,
        provider,
        reason,
        wanted: wanted || unwanted !== undefined,
        ...(incomplete && unwanted === undefined && { incomplete }),
      });
    // Copying each group costs more than all the rest here.
    else if (!groups.has(name)) groups.set(name, name === group.name ? group : { ...group, name });
  }
  for (const name of known ? config.add : []) if (!groups.has(name)) groups.set(name, { name, provider: CONFIG_SOURCE });
  return { groups: [...groups.values()], skipped };
}

/** `[groups]`, ready for use. */
interface Rules {
  /**
   * Why a name is left out; `undefined` if it isn't. Of a group that can't be read the name isn't known: only `exclude` applies,
   * to what stands for it.
   */
  whyLeftOut(name: string, incomplete: boolean | undefined): string | undefined;
  finalName(name: string): string;
}

/** Made once for a configuration, not for each login. */
const RULES = new WeakMap<GroupsConfig, Rules>();

function rulesOf(config: GroupsConfig): Rules {
  const known = RULES.get(config);
  if (known !== undefined) return known;
  const rules = { whyLeftOut: filterOf(config), finalName: renamerOf(config) };
  RULES.set(config, rules);
  return rules;
}

function filterOf({ include, exclude }: GroupsConfig): Rules['whyLeftOut'] {
  const included = include.map(compileGlob);
  const excluded = exclude.map((glob) => ({ glob, fits: compileGlob(glob) }));
  return (name, incomplete) => {
    if (!incomplete && included.length > 0 && !included.some((fits) => fits(name))) return 'no glob of [groups] include matches it';
    const found = excluded.find(({ fits }) => fits(name));
    return found && `[groups] exclude has "${found.glob}"`;
  };
}

function renamerOf({ rename, case: letters }: GroupsConfig): Rules['finalName'] {
  return (name) => {
    const renamed = rename.get(name) ?? name;
    return letters === 'lower' ? renamed.toLowerCase() : renamed;
  };
}
