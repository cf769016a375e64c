import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupsInAclFile, nearestName } from '../../src/check/acl-file.js';
import { aclFilesAt } from '../../src/check/acl-tree.js';
import { temporaryDirectory } from '../support/temporary.js';

describe('an ACL file', () => {
  it.each<[string, readonly string[]]>([
    ['group=acct lr', ['acct']],
    ['group=acct', ['acct']],
    ['-group=acct lr', ['-acct']],
    ['group-override=acct :lookup read', ['acct']],
    ['"group=Domain Users" lr', ['Domain Users']],
    ['"-group=a \\"b\\" \\\\c" lr', ['-a "b" \\c']],
    ['group=a=b lr', ['a=b']],
    ['* group=acct lr', ['acct']],
    ['"Public/x y" "group=Domain Users" lr', ['Domain Users']],
    ['owner lrwstipekxa', []],
    ['user=group=x lr', []],
    ['#group=acct lr', []],
    ['group= lr', []],
    ['"group=acct', []],
    ['', []],
    ['group=dos lr\r', ['dos']],
  ])('names by %j the groups %j', (line, groups) => {
    expect(groupsInAclFile(`${line}\n`).map(({ group, negative }) => (negative ? `-${group}` : group))).toEqual(groups);
  });

  it.each([
    ['slaes', 'sales'],
    ['Sales', 'sales'],
    ['domain users', 'Domain Users'],
    ['sale', 'sales'],
    ['accounting', undefined],
    ['x', undefined],
  ])('means by %s perhaps %s', (name, nearest) => {
    expect(nearestName(name, ['acct', 'sales', 'Domain Users'])).toBe(nearest);
  });
});

describe('the ACL files at a path', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, '.a/cur'), { recursive: true });
  mkdirSync(join(directory, '.b/dovecot-acl'), { recursive: true });
  mkdirSync(join(directory, '.d'));
  writeFileSync(join(directory, '.a/dovecot-acl'), 'group=a lr\n');
  writeFileSync(join(directory, '.a/cur/dovecot-acl'), 'group=mail lr\n');
  writeFileSync(join(directory, 'secret'), 'group=secret lr\n');
  symlinkSync('../secret', join(directory, '.d/dovecot-acl'));
  symlinkSync('.a', join(directory, '.e'));
  symlinkSync(join(directory, '.a'), join(directory, 'link'));

  it('are those below a directory, never by a link', () => {
    expect([...aclFilesAt(directory)]).toEqual([
      { path: join(directory, '.a/dovecot-acl'), text: 'group=a lr\n' },
      { path: join(directory, '.d/dovecot-acl'), problem: 'is a link or no regular file: not read' },
    ]);
  });

  it('are the file itself, and the directory that the path given is a link to', () => {
    expect([...aclFilesAt(join(directory, 'secret'))]).toEqual([{ path: join(directory, 'secret'), text: 'group=secret lr\n' }]);
    expect([...aclFilesAt(join(directory, 'link'))]).toEqual([{ path: join(directory, '.a/dovecot-acl'), text: 'group=a lr\n' }]);
  });

  it('are none where nothing is', () => {
    const path = join(directory, 'nowhere');
    expect([...aclFilesAt(path)]).toEqual([{ path, problem: `can't be read: ENOENT: no such file or directory, lstat '${path}'` }]);
  });
});
