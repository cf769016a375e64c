/**
 * What the service and the thread of a third-party provider say to each other. All of it crosses by structured clone.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import type { LogLevel } from '../../support/log.js';
import type { ProviderTable } from '../create.js';
import type { Naming } from '../foreign.js';
import type { LoginUser } from '../provider.js';

/** What a thread starts with: the provider's name in the configuration. */
export interface ThreadStart {
  readonly given: string;
  readonly naming: Naming;
}

/**
 * What it gets beside that: its end of a channel of ours. The provider's code doesn't see that one, and may use the thread's own
 * (`parentPort`) for itself; what it sends there, nobody reads.
 */
export interface ThreadData extends ThreadStart {
  readonly port: MessagePort;
}

/** Makes the provider of its table. */
export interface CreateOrder {
  readonly kind: 'create';
  readonly table: ProviderTable;
  /** Of the configuration file. */
  readonly directory: string;
}

/** A method of the provider, with its argument. */
export type Question =
  | { readonly method: 'groups'; readonly user: LoginUser }
  | { readonly method: 'cacheKey'; readonly user: LoginUser }
  | { readonly method: 'check' };

/** To the thread. */
export type Order =
  | CreateOrder
  | { readonly kind: 'call'; readonly id: number; readonly question: Question }
  /** Aborts the signal of a call. The thread says that it has, whether the call ends or not. */
  | { readonly kind: 'abort'; readonly id: number; readonly reason: string }
  | { readonly kind: 'close' };

/** What was loaded. */
export interface Loaded {
  readonly name: string;
  readonly description: string;
}

/** The methods of a provider that there are beside `groups`. */
export interface Methods {
  readonly cacheKey: boolean;
  readonly check: boolean;
}

/** From the thread. */
export type Report =
  | ({ readonly kind: 'loaded' } & Loaded)
  | ({ readonly kind: 'created' } & Methods)
  /** The module can't be loaded, or no provider be made of it. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly reason: string }
  | { readonly kind: 'aborted'; readonly id: number }
  | { readonly kind: 'closed'; readonly failure?: string | undefined }
  /** The memory that is in use right after a garbage collection, in bytes, where it is more than {@link HEAVY}. */
  | { readonly kind: 'heavy'; readonly bytes: number }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string };

/** Bytes that a thread may keep in memory: heap and buffers. */
export const HEAVY: number = 256 * 2 ** 20;
