import { describe, expect, it } from 'vitest';
import { sessionIn } from './session-log.js';

const login = (port: number, id: string): string =>
  `Nov 22 23:53:19 imap-login: Info: Logged in: rport=${port}, user=<alice>, session=<${id}>`;
const own = (id: string, text: string): string => `Nov 22 23:53:19 imap(alice)<7194><${id}>: ${text}`;
const stray = (text: string): string => `Nov  2 23:53:19 imap: ${text}`;
const GROUP = 'Debug: acl: group added: acct';
const END = 'Info: Disconnected: Logged out in=9 out=518';

describe('sessionIn', () => {
  it('is there once the mail process has ended', () => {
    const lines = [login(50, 'x'), login(51, 'y'), own('y', 'Debug: acl: group added: other'), own('x', GROUP)];
    expect(sessionIn(lines, 50)).toBeUndefined();
    const whole = [...lines, own('x', END)];
    expect(sessionIn(whole, 50)).toEqual({ id: 'x', loggedIn: true, groups: ['acct'], lines: [own('x', GROUP), own('x', END)] });
    expect(sessionIn(whole, 5)).toBeUndefined();
  });

  it('has the last lines whose prefix Dovecot has lost, where they can be of no other session', () => {
    const lines = [login(50, 'x'), own('x', GROUP), stray('Debug: acl: group added: last'), stray(END)];
    expect(sessionIn(lines, 50)).toMatchObject({ loggedIn: true, groups: ['acct', 'last'] });
    expect(sessionIn([...lines, login(51, 'y')], 50)).toBeUndefined();
    expect(sessionIn([...lines, login(51, 'y'), own('y', END)], 50)).toMatchObject({ groups: ['acct', 'last'] });
    expect(sessionIn(lines.slice(0, -1), 50)).toBeUndefined();
  });

  it('knows a login that was denied, or ended by an error', () => {
    const denied = own('x', 'Error: Post-login script denied access to user alice (session=x, rip=127.0.0.1)').replace('<x>', '');
    expect(sessionIn([login(50, 'x'), denied], 50)).toMatchObject({ loggedIn: false, groups: [] });
    expect(sessionIn([login(50, 'x'), own('x', 'Fatal: master: killed')], 50)).toMatchObject({ loggedIn: false });
    const early = `Nov 22 23:53:19 imap(7194): Error: Failed to expand plugin setting acl_groups = '50%{': Unknown variable '%{'`;
    expect(sessionIn([login(50, 'x'), own('x', 'Debug: early'), early], 50)).toMatchObject({ loggedIn: false, groups: [] });
    expect(sessionIn([login(50, 'x'), login(51, 'y'), early], 50)).toBeUndefined();
    const failed = login(50, 'x').replace('Logged in', 'Aborted login');
    expect(sessionIn([failed], 50)).toEqual({ id: 'x', loggedIn: false, groups: [], lines: [] });
  });

  it("takes no other process's failure for its end", () => {
    const others = [
      'Nov 22 23:53:19 imap(7193): Error: auth-master: login: request [413794305]: Login auth request failed: Internal auth failure',
      'Nov 22 23:53:19 imap(7195): Fatal: master: killed',
    ];
    expect(sessionIn([login(50, 'x'), ...others.slice(0, 1)], 50)).toBeUndefined();
    const lines = [login(50, 'x'), own('x', 'Debug: early'), ...others];
    expect(sessionIn(lines, 50)).toBeUndefined();
    expect(sessionIn([...lines, own('x', GROUP), own('x', END)], 50)).toMatchObject({ loggedIn: true, groups: ['acct'] });
  });
});
