import { describe, expect, it } from 'vitest';
import { factsFromEnvironment, parseEnvironment, repairEnvironment } from '../../src/exec/environment.js';
import { UsageError } from '../../src/support/errors.js';

describe('factsFromEnvironment', () => {
  it('reads what script-login sets: the user, the addresses, and the fields that USERDB_KEYS names', () => {
    const facts = factsFromEnvironment({
      USER: 'alice@example.com',
      IP: '192.0.2.1',
      LOCAL_IP: '192.0.2.2',
      USERDB_KEYS: 'HOME UID MISSING ',
      HOME: '/home/alice',
      UID: '1000',
      PATH: '/bin',
    });
    expect(facts).toEqual({
      name: 'alice@example.com',
      remoteIp: '192.0.2.1',
      localIp: '192.0.2.2',
      fields: new Map([
        ['home', '/home/alice'],
        ['uid', '1000'],
      ]),
    });
  });

  it('takes ACL_GROUPS and SYSTEM_GROUPS_USER without their keys as well', () => {
    const { fields } = factsFromEnvironment({ USER: 'a', ACL_GROUPS: 'x,y', SYSTEM_GROUPS_USER: 'alice' });
    expect(fields).toEqual(
      new Map([
        ['acl_groups', 'x,y'],
        ['system_groups_user', 'alice'],
      ]),
    );
  });

  it.each([[{}], [{ USER: '' }]])('refuses %j', (env) => {
    expect(() => factsFromEnvironment(env)).toThrow(
      new UsageError(
        "USER is not set; exec mode runs as an argument of Dovecot's script-login, which sets it (to try it by hand: USER=name acl-groups env)",
      ),
    );
  });
});

describe('repairEnvironment', () => {
  const original = parseEnvironment(
    'USER=alice\0A/B=x=\ny\0EMPTY=\0IFS=,\0NODE_OPTIONS=--x\0=odd\0TWICE=1\0TWICE=2\0BYTES=\xff\0LOST/\xff=\xfe\0J\xc3\xb6=\xc3\xb6\0',
  );

  it('finds what the shell lost, changed and added, and leaves what the launcher means to change', () => {
    const now = { USER: 'alice', EMPTY: '', IFS: ' ', PWD: '/', SHLVL: '1', UV_THREADPOOL_SIZE: '1', TWICE: '1', BYTES: '\ufffd', Jö: 'ö' };
    const { unset, assignments } = repairEnvironment(original, now);
    expect(unset).toEqual(['PWD']);
    expect(assignments.map((bytes) => bytes.toString('latin1'))).toEqual(['A/B=x=\ny', 'IFS=,', 'LOST/\xff=\xfe']);
  });

  it('has nothing to do where nothing was lost', () => {
    expect(repairEnvironment(parseEnvironment('A=1\0'), { A: '1' })).toEqual({ unset: [], assignments: [] });
  });
});
