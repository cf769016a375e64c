import { describe, expect, it } from 'vitest';
import { BindRefused, LdapError, verdictOf } from '../../src/ldap/errors.js';
import { ConfigError, ProviderError } from '../../src/support/errors.js';
import { GivenUp } from '../../src/support/within.js';

describe('verdictOf', () => {
  it.each([
    ['deny', new BindRefused('invalid credentials')],
    ['deny', new LdapError('no such attribute', 'deny', { code: 16 })],
    ['deny', new ConfigError('the password file is empty')],
    ['deny', new ProviderError('ldap', 'user_filter finds 2 entries')],
    ['next-server', new LdapError('busy', 'next-server')],
    ['fresh-connection', new LdapError('connection lost', 'fresh-connection')],
    ['next-server', new Error('connect ECONNREFUSED')],
    ['next-server', new GivenUp('no connection within 1000 ms')],
  ])('says %s to %s', (verdict, error) => {
    expect(verdictOf(error)).toBe(verdict);
  });
});
