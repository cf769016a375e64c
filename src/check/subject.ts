import type { Acls } from './acls.js';
import type { ServiceView } from './as-service.js';
import type { FoundDovecot } from './doveconf.js';
import type { DovecotFacts } from './facts.js';
import type { Identity } from './identity.js';
import type { Probe } from './probe.js';

/** What the command line says about what to look at. */
export interface Wish {
  /** The configuration file; the default one unless given. */
  readonly config: string | undefined;
  readonly dovecotConfig: string | undefined;
  readonly socket: string | undefined;
  readonly acl: readonly string[];
  readonly user: string;
}

/** What the checks look at. What several of them need is found once. */
export interface Subject extends Wish {
  readonly configFile: string;
  readonly dovecot: FoundDovecot;
  /** Dovecot's facts, where there is one. */
  readonly facts: DovecotFacts | undefined;
  /** Whom the service, or exec mode, runs as; `undefined` where nothing says so. */
  readonly identity: Identity | undefined;
  /** The account that dovecot.conf names for that, whether it is there or not. */
  readonly identityName: string | undefined;
  /** The service's socket: the one given, or the one that Dovecot's configuration names. */
  readonly serviceSocket: string | undefined;
  /** The `acl-groups` command, for what is to be pasted. */
  readonly command: string;
  /** What ACLs say of groups: the files that `acl` leads to, and the blocks of dovecot.conf. */
  readonly acls: { readonly files: Acls; readonly blocks: Acls };
  /** What is seen with the service's rights; `problem` says why it was looked with this process's own, if it should not have been. */
  serviceView(): Promise<ServiceView & { readonly problem?: string }>;
  /** What the service says; `undefined` where there is no socket to ask. */
  probe(): Promise<Probe | undefined>;
}
