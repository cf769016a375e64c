import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { createStatusReporter, findMaster, statusReport } from '../../src/dovecot/master.js';
import { findSocketSource } from '../../src/service/socket-source.js';

const ENV = { DOVECOT_CHILD_PROCESS: '1', GENERATION: '17', CLIENT_LIMIT: '1000', SOCKET_COUNT: '1' };
const sockets =
  (...numbers: number[]) =>
  (fd: number): boolean =>
    numbers.includes(fd);

describe('findMaster', () => {
  it.each([
    ['2.3', 7],
    ['2.4.1', 8],
    ['2.4.4', 9],
  ])('finds the listener of %s at %i', (_, fd) => {
    expect(findMaster(ENV, sockets(fd))).toEqual({ generation: 17, clientLimit: 1000, listeners: [fd], accepted: undefined });
  });

  it('tells a client that was accepted already from the listener', () => {
    const env = { ...ENV, DOVECOT_ACCEPTED_CLIENT_LISTENER_FD: '9', CLIENT_LIMIT: '1' };
    expect(findMaster(env, sockets(8, 9))).toMatchObject({ listeners: [9], accepted: 8 });
  });

  it('takes as many listeners as there are, and no other socket', () => {
    expect(findMaster({ ...ENV, SOCKET_COUNT: '2' }, sockets(7, 8, 9))).toMatchObject({ listeners: [7, 8] });
  });

  it('is nothing without a master', () => {
    expect(findMaster({ GENERATION: '17' }, sockets(7))).toBeUndefined();
  });
});

describe('findSocketSource', () => {
  it('takes what the command line names, then the master, then systemd', () => {
    expect(findSocketSource({ listen: '/run/s', mode: 0o660 }, ENV, 42)).toEqual({ kind: 'path', path: '/run/s', mode: 0o660 });
    expect(findSocketSource({ listen: '/run/s' }, {}, 42)).toMatchObject({ mode: 0o600 });
    expect(findSocketSource({}, { LISTEN_PID: '42', LISTEN_FDS: '2' }, 42, sockets(3, 4))).toEqual({ kind: 'systemd', listeners: [3, 4] });
  });

  it.each([
    ['nothing', {}, {}, /^serve needs a socket/],
    ['variables for another process', {}, { LISTEN_PID: '41', LISTEN_FDS: '1' }, /^serve needs a socket/],
    [
      'more sockets than there are',
      {},
      { LISTEN_PID: '42', LISTEN_FDS: '1000000' },
      /^LISTEN_FDS says that 1000000 sockets were handed over, but descriptor 5 is none$/,
    ],
    ['no number of sockets', {}, { LISTEN_PID: '42', LISTEN_FDS: '1e9' }, /^LISTEN_FDS: expected a number of sockets, found "1e9"$/],
    ['no socket from the master', {}, { ...ENV, SOCKET_COUNT: '0' }, /^Dovecot handed over no socket/],
    ['a mode without a path', { mode: 0o600 }, ENV, /^--mode is about the socket of --listen/],
  ])('refuses %s', (_, options, env, message) => {
    expect(() => findSocketSource(options, env, 42, sockets(3, 4))).toThrow(message);
  });
});

describe('statusReport', () => {
  it('is what the master reads as three numbers', async () => {
    const child = spawn('od', ['-An', '-td4', '-N12']);
    child.stdin.end(statusReport(1234, 17, 999));
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child, 'close');
    expect(text.trim().split(/\s+/)).toEqual(['1234', '17', '999']);
  });
});

describe('createStatusReporter', () => {
  const setUp = () => {
    const sent: number[] = [];
    let failure: string | undefined;
    const reporter = createStatusReporter({ generation: 17 }, (report) => {
      if (failure !== undefined) throw Object.assign(new Error(failure), { code: failure });
      sent.push(report.readUInt32LE(8));
    });
    return {
      reporter,
      sent,
      fail: (code: string | undefined) => {
        failure = code;
      },
    };
  };

  it('reports at once what matters, and the rest once a second', () => {
    vi.useFakeTimers();
    try {
      const { reporter, sent } = setUp();
      reporter.update(2);
      for (const free of [1, 2, 1]) reporter.update(free);
      expect(sent).toEqual([2]);
      reporter.update(0);
      reporter.update(1);
      expect(sent).toEqual([2, 0, 1]);
      reporter.update(2);
      vi.advanceTimersByTime(1000);
      expect(sent).toEqual([2, 0, 1, 2]);
      vi.advanceTimersByTime(5000);
      reporter.update(1);
      expect(sent).toEqual([2, 0, 1, 2, 1]);
      reporter.repeat();
      expect(sent).toEqual([2, 0, 1, 2, 1, 1]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('tries again while the pipe is full, and stops when the master is gone', () => {
    vi.useFakeTimers();
    try {
      const { reporter, sent, fail } = setUp();
      fail('EAGAIN');
      reporter.update(2);
      vi.advanceTimersByTime(100);
      expect(sent).toEqual([]);
      fail(undefined);
      vi.advanceTimersByTime(100);
      expect(sent).toEqual([2]);
      fail('EPIPE');
      reporter.update(0);
      fail(undefined);
      reporter.update(1);
      vi.advanceTimersByTime(5000);
      expect(sent).toEqual([2]);
    } finally {
      vi.useRealTimers();
    }
  });
});
