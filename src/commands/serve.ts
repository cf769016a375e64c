import { setFlagsFromString } from 'node:v8';
import manifest from '../../package.json' with { type: 'json' };
import type { Invocation, Options } from '../args.js';
import { loadConfig } from '../config/load.js';
import { createStatusReporter, type StatusReporter, watchMaster } from '../dovecot/master.js';
import { openProviders } from '../providers/registry.js';
import { type Answerer, createAnswerer, createDenier } from '../service/answerer.js';
import { type Counters, createCounters } from '../service/counters.js';
import { freeLasting, withLasting } from '../service/gate.js';
import { type HiddenSocket, listenHidden } from '../service/own-socket.js';
import { createService, type Service } from '../service/service.js';
import { findSocketSource, type SocketSource } from '../service/socket-source.js';
import { startWatchdog } from '../service/watchdog.js';
import { EXIT, explain, UsageError } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import { stderrLine, stderrLogger } from '../terminal/stderr.js';

/**
 * How long a process goes on accepting after its master has let go of it, in milliseconds. A reload makes the socket anew
 * (master/service-listen.c), and who has connected to the old one by then can be answered by nobody else.
 */
const LINGER = 500;
/** How long providers may take to let go at the end, in milliseconds. */
const CLOSE_LIMIT = 1000;
/** What the last logins may take beyond `timeout`, which bounds their lookups, in milliseconds. */
const LAST_REPLIES = 2000;

/**
 * Serve mode: answers logins over a socket until a signal, or Dovecot's master, ends it.
 * @throws UsageError, ConfigError
 */
export async function serve({ options, operands }: Invocation): Promise<number> {
  if (operands[0] !== undefined) throw new UsageError(`serve takes no operand, found "${operands[0]}"; try: acl-groups --help`);
  // V8 would let the heap grow to four times what is in use, which is mostly the cache.
  setFlagsFromString('--heap-growing-percent=30');
  const log = stderrLogger();
  const counters = createCounters();
  const source = findSocketSource(options, process.env, process.pid);

  let reporter: StatusReporter | undefined;
  const slots = source.kind === 'dovecot' ? source.master.clientLimit : 0;
  let ending = false;
  const service = createService(log, counters, (active) => reporter?.update(ending ? 0 : Math.max(0, slots - active)));
  const loader = createLoader(options, service, log, counters);
  const ends = onEnd(source, service, {
    reload: () => void loader.reload(),
    counters: () => log.info(service.status()),
    idle: () => reporter?.repeat(),
  });
  const socket = await prepareSocket(source, service);
  try {
    await loader.load();
  } catch (error) {
    socket.discard();
    // Whoever keeps the socket would let logins wait in it for a process that never comes; denying them at once does less harm.
    if (source.kind === 'path') throw error;
    log.error(`${explain(error)}; every login is denied until this is fixed and the service reloaded`);
    service.use(createDenier(explain(error)));
  }
  const removeSocket = await socket.publish();
  if (source.kind === 'dovecot') {
    warnOfRoot(log);
    reporter = createStatusReporter(source.master);
    reporter.update(slots);
  }
  log.info(`acl-groups ${manifest.version} serves logins`);

  if ((await ends.noticed) === 'master') {
    // Told at once, the master doesn't wait for the last logins before it goes on. One that stays would turn clients away.
    ending = true;
    reporter?.update(0);
  }
  await ends.due;
  removeSocket();
  await service.drain(loader.timeout + LAST_REPLIES);
  await letGo(loader, log);
  log.info(`ends: ${service.status()}`);
  return EXIT.ok;
}

/** Brings configurations into use. */
interface Loader {
  /** @throws ConfigError */
  load(): Promise<void>;
  /** Empties the cache, and reads the configuration again; one that can't be used changes nothing else. */
  reload(): Promise<void>;
  /** The `timeout` of the configuration in use; 0 while there is none. */
  readonly timeout: number;
  close(): Promise<void>;
}

function createLoader(options: Options, service: Service, log: Logger, counters: Counters): Loader {
  let answerer: Answerer | undefined;
  let timeout = 0;
  let watchdog: { stop(): void } | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function load(): Promise<void> {
    const config = await loadConfig(options.config, { providers: options.providers, dovecot: options.dovecot });
    const replaced = answerer;
    answerer = createAnswerer(config, await openProviders(config, () => log, true), log, counters);
    if (config.timeout !== timeout) {
      watchdog?.stop();
      watchdog = startWatchdog(
        2 * config.timeout,
        stderrLine('error', `the event loop has stood still for ${2 * config.timeout} ms; ending, so that others are asked`),
      );
    }
    ({ timeout } = config);
    service.use(answerer);
    // Not waited for: what it has in hand, or a provider that doesn't let go, must not hold up the next reload.
    void replaced?.close().catch((error: unknown) => log.warning(explain(error)));
  }

  async function reload(): Promise<void> {
    try {
      await load();
      log.info('configuration read again, cache emptied');
    } catch (error) {
      const instead = answerer === undefined ? 'every login is still denied' : 'cache emptied, but the configuration stays as it was';
      log.error(`${explain(error)}; ${instead}`);
    }
  }

  /** One after the other, so that the last one wins. */
  function inTurn(task: () => Promise<void>): Promise<void> {
    const done = last.then(task);
    last = done.catch(() => {});
    return done;
  }

  return {
    load: () => inTurn(load),
    reload() {
      answerer?.forget();
      return inTurn(reload);
    },
    get timeout() {
      return timeout;
    },
    async close() {
      watchdog?.stop();
      await answerer?.close();
    },
  };
}

/** The service's socket, before anybody can connect to it. It comes first, see freeLasting. */
async function prepareSocket(source: SocketSource, service: Service): Promise<HiddenSocket> {
  if (source.kind === 'path') return listenHidden(service.createServer(), source.path, source.mode, freeLasting);
  const { listeners, accepted } = source.kind === 'dovecot' ? source.master : { ...source, accepted: undefined };
  return {
    async publish() {
      await Promise.all(withLasting(listeners).map((descriptor) => service.listen(descriptor).catch(cannotListen)));
      if (accepted !== undefined) service.serve(accepted);
      return () => {};
    },
    discard() {},
  };
}

function cannotListen(error: unknown): never {
  const fix = 'a unit of type socket needs ListenStream= and Accept=no, a service of Dovecot a unix_listener';
  throw new UsageError(`the socket handed over can't be listened on (${explain(error)}); ${fix}`, { cause: error });
}

/** When the process learns that it is to end, and when it is to stop listening. */
interface Ends {
  /** Who says so. */
  readonly noticed: Promise<'master' | 'signal'>;
  readonly due: Promise<void>;
}

function onEnd(
  source: SocketSource,
  service: Service,
  on: { readonly reload: () => void; readonly counters: () => void; readonly idle: () => void },
): Ends {
  const underMaster = source.kind === 'dovecot';
  let notice: (by: 'master' | 'signal') => void = () => {};
  const noticed = new Promise<'master' | 'signal'>((resolve) => {
    notice = resolve;
  });
  const due = new Promise<void>((resolve) => {
    const watch = underMaster ? watchMaster(linger) : undefined;
    let lingering: NodeJS.Timeout | undefined;
    function linger(): void {
      lingering = setTimeout(end, LINGER);
      notice('master');
    }
    function end(): void {
      clearTimeout(lingering);
      watch?.stop();
      notice('signal');
      resolve();
    }
    process.on('SIGTERM', end);
    process.on('SIGQUIT', end);
    process.on('SIGINT', () => {
      // The master's way to end idle processes; it wants to hear from one that isn't.
      if (underMaster && service.active > 0) on.idle();
      else end();
    });
    process.on('SIGHUP', on.reload);
    // Without a handler, Node would start its debugger.
    process.on('SIGUSR1', on.counters);
  });
  return { noticed, due };
}

/** Closes the providers. Node would wait forever for a thread of somebody's addon that hangs in native code: SIGKILL doesn't. */
async function letGo(loader: Loader, log: Logger): Promise<void> {
  const killTimer = setTimeout(() => {
    log.warning('a provider does not let go; ending by SIGKILL');
    process.kill(process.pid, 'SIGKILL');
  }, CLOSE_LIMIT);
  try {
    await loader.close();
  } catch (error) {
    log.warning(explain(error));
  }
  // If something of theirs keeps the process alive still, it ends all the same.
  killTimer.unref();
}

function warnOfRoot(log: Logger): void {
  const { RESTRICT_SETUID: uid = '0' } = process.env;
  if (process.getuid?.() === 0 && uid !== '0') {
    log.warning(
      'runs as root, because the master leaves it to its processes to become their user; set drop_priv_before_exec = yes in its service block',
    );
  }
}
