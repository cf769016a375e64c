/** The kinds of directory that are known. */
export const PRESET_NAMES: readonly ['rfc2307', 'rfc2307bis', 'ad', 'freeipa'] = ['rfc2307', 'rfc2307bis', 'ad', 'freeipa'];
export type PresetName = (typeof PRESET_NAMES)[number];

/** How a lookup finds groups. */
export type Strategy = 'search' | 'memberof' | 'token_groups';

/** What a kind of directory calls things. */
export interface Preset {
  readonly userFilter: string;
  readonly strategy: Strategy;
  /** For `search`: the groups that a user or a group is in. */
  readonly groupFilter: string;
  /** For `memberof`: which of the entries that memberOf names are groups. */
  readonly memberOfFilter: string;
  /** What {uid} stands for: the attribute of the user's entry. */
  readonly uidAttribute: string;
  /** How a user's entry names its primary group: by a number, or (Active Directory) by the last part of a SID. */
  readonly primary: 'gidNumber' | 'primaryGroupID';
}

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  /** RFC 2307: groups list the names of their members. */
  rfc2307: {
    userFilter: '(&(objectClass=posixAccount)(uid={user}))',
    strategy: 'search',
    groupFilter: '(&(objectClass=posixGroup)(memberUid={uid}))',
    memberOfFilter: '(objectClass=*)',
    uidAttribute: 'uid',
    primary: 'gidNumber',
  },
  /** RFC 2307bis: groups list the DNs of their members, which may be groups. */
  rfc2307bis: {
    userFilter: '(uid={user})',
    strategy: 'search',
    groupFilter: '(member={dn})',
    memberOfFilter: '(objectClass=*)',
    uidAttribute: 'uid',
    primary: 'gidNumber',
  },
  /** Active Directory, Microsoft's or Samba's: the server works out all groups of a user itself. */
  ad: {
    userFilter: '(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={user})(userPrincipalName={user})))',
    strategy: 'token_groups',
    groupFilter: '(&(objectClass=group)(member={dn}))',
    memberOfFilter: '(objectClass=group)',
    uidAttribute: 'sAMAccountName',
    primary: 'primaryGroupID',
  },
  /** FreeIPA: memberOf has the groups, nested ones too, but also roles and rules. */
  freeipa: {
    userFilter: '(&(objectClass=posixAccount)(uid={user}))',
    strategy: 'memberof',
    groupFilter: '(&(objectClass=ipaUserGroup)(member={dn}))',
    memberOfFilter: '(objectClass=ipaUserGroup)',
    uidAttribute: 'uid',
    primary: 'gidNumber',
  },
};
