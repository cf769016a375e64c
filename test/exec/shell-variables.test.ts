import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../src/exec/environment.js';
import { handOver } from '../../src/exec/shell-variables.js';

const started = (bytes: string, whole = true) => ({ environment: parseEnvironment(bytes), whole });

describe('handOver', () => {
  it('leaves a plain environment to the shell, which takes away what it adds', () => {
    expect(handOver(started('USER=alice\0UID=7\0'))).toEqual({ unset: ['PWD', 'PATH'], variables: [], lost: undefined });
    expect(handOver(started('PATH=/bin\0PWD=/\0'), () => true)).toEqual({ unset: [], variables: [], lost: undefined });
  });

  it('hands all variables over where a shell would lose one, but for those that the launcher sets', () => {
    const { unset, variables, lost } = handOver(
      started('A/B=\xff\0USER=alice\0UID=7\0PERL5OPT=x\0USERDB_KEYS=A/B\0ACL_GROUPS=x\0ag_plan=1\0'),
    );
    expect(lost).toBe('A/B');
    expect(unset).toEqual(['USER', 'PERL5OPT']);
    expect(variables.map((bytes) => bytes.toString('latin1'))).toEqual(['A/B=\xff', 'USER=alice', 'UID=7', 'PERL5OPT=x', 'ag_plan=1']);
  });

  it('keeps a PWD that a shell would correct', () => {
    expect(handOver(started(`PWD=${process.cwd()}\0`)).lost).toBeUndefined();
    expect(handOver(started('PWD=/none/such\0')).lost).toBe('PWD');
    expect(handOver(started(`PWD=${process.cwd()}/.\0`)).lost).toBe('PWD');
    expect(handOver(started('PWD=.\0')).lost).toBe('PWD');
  });

  it('gives up without procfs only where a field is lost', () => {
    expect(handOver(started('USERDB_KEYS=UID \0IFS=7\0', false))).toEqual({ unset: [], variables: [], lost: undefined });
    expect(() => handOver(started('USERDB_KEYS=UID NAMESPACE/INBOX/PREFIX\0', false))).toThrow(
      "the userdb's field namespace/inbox/prefix can't go through a shell, and there is no /proc/PID/environ to read it from; login denied; mount procfs, or give Dovecot the groups by the userdb door",
    );
  });
});
