import { describe, expect, it } from 'vitest';
import { endpointOfService, parseUri } from '../../src/ldap/uri.js';
import { ConfigError } from '../../src/support/errors.js';

describe('parseUri', () => {
  it.each([
    ['ldap://a.example', { kind: 'tcp', host: 'a.example', port: 389, tls: 'upgrade', names: ['a.example'] }],
    ['LDAPS://a.example:1636/', { kind: 'tcp', host: 'a.example', port: 1636, tls: 'immediate' }],
    ['ldap://[::1]:3389', { kind: 'tcp', host: '::1', port: 3389, names: ['::1'] }],
    ['ldaps://192.0.2.1', { kind: 'tcp', host: '192.0.2.1', port: 636, names: ['192.0.2.1'] }],
    ['ldapi://%2Frun%2Fslapd%2Fldapi', { kind: 'unix', path: '/run/slapd/ldapi' }],
    ['srv:example.com', { kind: 'srv', domain: 'example.com' }],
  ])('reads %s', (uri, expected) => {
    expect(parseUri(uri, true)).toMatchObject({ uri, ...expected });
  });

  it('does without TLS on ldap:// only when told to', () => {
    expect(parseUri('ldap://a', false)).toMatchObject({ tls: 'none' });
    expect(parseUri('ldaps://a', false)).toMatchObject({ tls: 'immediate' });
  });

  it.each([
    'a.example',
    'http://a',
    'ldap:a',
    'ldap://',
    'ldap://a/dc=x',
    'ldap://a:0',
    'ldap://a:65536',
    'ldap://a:x',
    'ldap://[1.2.3.4]',
    'ldap://a b',
    'ldapi://',
    'ldapi://relative',
    'ldapi://%2',
    'srv:',
    'srv://example.com',
  ])('refuses %s', (uri) => {
    expect(() => parseUri(uri, true)).toThrow(ConfigError);
    expect(() => parseUri(uri, true)).toThrow(`uris: "${uri}": `);
  });
});

describe('parseUri of a URI with a password', () => {
  it('refuses it without showing the password', () => {
    for (const uri of ['ldap://cn=x:hunter2@a', 'ldap://x:hunter2@b@a/dc=x']) {
      expect(() => parseUri(uri, true)).toThrow(
        /^uris: "ldap:\/\/…@a(\/dc=x)?": expected a host, and at most a port behind it; allowed are /,
      );
    }
  });
});

describe('endpointOfService', () => {
  it('lets a target outside the domain show a certificate for the domain only', () => {
    expect(endpointOfService('example.com', 'dc1.Example.com.', 389, true)).toMatchObject({ names: ['dc1.Example.com', 'example.com'] });
    expect(endpointOfService('example.com', 'evil.test', 389, true)).toMatchObject({ host: 'evil.test', names: ['example.com'] });
    expect(endpointOfService('example.com', 'notexample.com', 389, true)).toMatchObject({ names: ['example.com'] });
  });
});
