import { describe, expect, it } from 'vitest';
import { searchesIn } from './slapd.js';

const line = (text: string): string => `6b03ac69.009adeb6 0x7f32bbfff6c0 ${text}`;
const BIND = line('conn=1000 op=0 BIND dn="cn=reader" mech=SIMPLE bind_ssf=0 ssf=0');
const SEARCH = line('conn=1000 op=1 SRCH base="o=x" scope=2 deref=0 filter="(uid=a)"');
const ACCEPT = line('conn=1000 fd=12 ACCEPT from IP=127.0.0.1:50000 (IP=127.0.0.1:389)');

describe('searchesIn', () => {
  it('knows who searches, also where the connection is logged behind its bind', () => {
    for (const lines of [
      [ACCEPT, BIND, SEARCH],
      [BIND, ACCEPT, SEARCH],
    ])
      expect(searchesIn(lines.join('\n'))).toEqual([{ line: SEARCH, dn: 'cn=reader', tls: false }]);
  });

  it('takes nobody for who had the number before the server was started again', () => {
    const log = [ACCEPT, BIND, SEARCH, line('slapd starting'), ACCEPT, SEARCH].join('\n');
    expect(searchesIn(log).map(({ dn }) => dn)).toEqual(['cn=reader', '']);
  });
});
