import type { GroupsConfig } from './config.js';
import type { SourcedGroup } from './resolve.js';
import { hasControlCharacters } from './text.js';

/** A group that isn't passed on. */
export interface SkippedGroup {
  readonly name: string;
  readonly provider: string;
  readonly reason: string;
}

/** Groups sorted into those to pass on and those to leave out. */
export interface Selection {
  readonly groups: readonly SourcedGroup[];
  readonly skipped: readonly SkippedGroup[];
}

/** Applies `[groups]`, drops what no Dovecot can be told, and drops duplicates: the first one of a name stays. */
export function selectGroups(found: readonly SourcedGroup[], config: GroupsConfig): Selection {
  const groups = new Map<string, SourcedGroup>();
  const skipped: SkippedGroup[] = [];
  for (const group of found) {
    const name = finalName(group.name, config);
    const reason = group.skip ?? unusable(name);
    if (reason !== undefined) skipped.push({ name: group.name, provider: group.provider, reason });
    else if (!groups.has(name)) groups.set(name, { ...group, name });
  }
  return { groups: [...groups.values()], skipped };
}

function finalName(name: string, config: GroupsConfig): string {
  const renamed = Object.hasOwn(config.rename, name) ? (config.rename[name] ?? name) : name;
  return config.case === 'lower' ? renamed.toLowerCase() : renamed;
}

function unusable(name: string): string | undefined {
  if (name === '') return 'it has no name';
  if (hasControlCharacters(name)) return 'its name holds control characters';
  return undefined;
}
