import { describe, expect, it } from 'vitest';
import { AclGroupsError, ConfigError, EXIT, explain, ProviderError, UsageError } from '../../src/support/errors.js';

describe('the errors', () => {
  it('carry the exit status that sysexits.h gives their kind', () => {
    expect(new UsageError('x').exitStatus).toBe(64);
    expect(new ConfigError('x').exitStatus).toBe(78);
    expect(new ProviderError('ldap', 'x').exitStatus).toBe(75);
    expect(EXIT).toEqual({ ok: 0, usage: 64, noUser: 67, unavailable: 69, temporary: 75, config: 78 });
  });

  it('keep facts as fields and the cause', () => {
    const cause = new Error('reset');
    const error = new ProviderError('ldap', 'search failed', { cause, timedOut: true });
    expect(error).toBeInstanceOf(AclGroupsError);
    expect(error).toMatchObject({ message: 'ldap: search failed', provider: 'ldap', timedOut: true, cause });
  });
});

describe('explain', () => {
  it('puts the causes behind the message, each once', () => {
    const root = new Error('ECONNREFUSED 127.0.0.1:389');
    const middle = new Error('connect failed: ECONNREFUSED 127.0.0.1:389', { cause: root });
    expect(explain(new Error('ldap', { cause: middle }))).toBe('ldap: connect failed: ECONNREFUSED 127.0.0.1:389');
  });

  it('adds nothing to what was written for the administrator', () => {
    const cause = new Error('Invalid TOML:\n1: x\n   ^');
    expect(explain(new ConfigError('x.toml:1:1: invalid', { cause }))).toBe('x.toml:1:1: invalid');
    expect(explain(new UsageError('unknown option', { cause }))).toBe('unknown option');
    expect(explain(new Error('reload', { cause: new ConfigError('bad', { cause }) }))).toBe('reload: bad');
  });

  it('says something about what is no error', () => {
    expect(explain('just a text')).toBe('just a text');
    expect(explain(new TypeError())).toBe('TypeError');
  });

  it('says something about an error whose properties throw', () => {
    const error = new Error('x');
    const trap = (): never => {
      throw new Error('trap');
    };
    Object.defineProperty(error, 'cause', { get: trap });
    expect(explain(error)).toBe('x');
    Object.defineProperty(error, 'message', { get: trap });
    expect(explain(error)).toBe('something without a text was thrown');
  });

  it('cuts what is long off, but nothing that was written for the administrator', () => {
    expect(explain(new Error('x'.repeat(1000)))).toBe('x'.repeat(1000));
    expect(explain(new Error('x'.repeat(1001)))).toBe(`${'x'.repeat(1000)}… (1001 characters)`);
    expect(explain(new ConfigError('x'.repeat(1001)))).toBe('x'.repeat(1001));
  });

  it('ends on a chain of causes that bites its tail', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(explain(error)).toBe('loop');
  });
});
