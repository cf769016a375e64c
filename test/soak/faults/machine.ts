import { chmodSync, closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from './fault.js';

const NSSWITCH = 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n';

/** What becomes of the machine's own files and services. */
export const machineFaults: readonly Fault[] = [
  nameService('name service hanging', 'h'),
  nameService('name service unavailable', 'u'),
  {
    name: 'disk full',
    subject: 'disk',
    async run({ small, weather }, hold) {
      // Exec mode can't keep answers, and nobody can replace the group file.
      const end = weather.begin(this.name, {});
      const filler = join(small.outside, 'filler');
      fill(filler);
      await hold();
      rmSync(filler);
      end();
    },
  },
  {
    name: 'group file writable by others',
    subject: 'disk',
    async run({ small, weather }, hold) {
      // Others could have written it, so it is refused, until it is replaced or its mode is right again.
      const end = weather.begin(this.name, { sources: ['file'], execToo: true });
      chmodSync(join(small.outside, 'groups'), 0o666);
      await hold();
      chmodSync(join(small.outside, 'groups'), 0o644);
      end();
    },
  },
];

/** nsswitch.conf names a service that does what the letter says, beside the files. */
function nameService(name: string, letter: string): Fault {
  return {
    name,
    subject: 'nsswitch',
    async run({ world, nameService: state, weather }, hold) {
      const end = weather.begin(name, { sources: ['unix'], execToo: true });
      writeFileSync(state, letter);
      replaceFile(join(world.etc, 'nsswitch.conf'), NSSWITCH.replaceAll(/^(passwd|group): files$/gm, '$1: files acltest'));
      await hold();
      replaceFile(join(world.etc, 'nsswitch.conf'), NSSWITCH);
      end();
    },
  };
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.draft`, text);
  renameSync(`${path}.draft`, path);
}

/** Writes until there is no room. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  const chunk = Buffer.alloc(4096);
  try {
    for (;;) writeSync(file, chunk);
  } catch {
    // That is what it is for.
  } finally {
    closeSync(file);
  }
}
