/** The kinds of directory that are known. */
export const PRESET_NAMES = ['rfc2307', 'rfc2307bis', 'groupofuniquenames', 'ad', 'freeipa'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** How a lookup finds groups. */
export type Strategy = 'search' | 'memberof' | 'token_groups';

/** What a kind of directory calls things. */
export interface Preset {
  readonly userFilter: string;
  /** For a user that userFilter doesn't find, whose name's domain is Active Directory's own. */
  readonly implicitUserFilter?: string;
  readonly strategy: Strategy;
  /** For `search`: the groups that a user or a group is in. */
  readonly groupFilter: string;
  /** For the other strategies: which entries are groups. */
  readonly isGroup: string;
  /** A condition that groups have to meet as well, unless distribution_groups says otherwise. */
  readonly isSecurityGroup?: string;
  /** The attribute that groups are named by. */
  readonly nameAttribute: string;
  /** What {uid} stands for: the attribute of the user's entry. */
  readonly uidAttribute: string;
  /** How a user's entry names its primary group: by a number, or (Active Directory) by the last part of a SID. */
  readonly primary: 'gidNumber' | 'primaryGroupID';
  /** Whether memberOf has nested groups too, so that direct ones can't be told from them. */
  readonly transitiveMemberOf: boolean;
}

/** RFC 2307bis: groups list the DNs of their members, which may be groups. */
const RFC2307BIS: Preset = {
  userFilter: '(uid={user})',
  strategy: 'search',
  groupFilter: '(member={dn})',
  isGroup: '(objectClass=*)',
  nameAttribute: 'cn',
  uidAttribute: 'uid',
  primary: 'gidNumber',
  transitiveMemberOf: false,
};

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  /** RFC 2307: groups list the names of their members. */
  rfc2307: {
    ...RFC2307BIS,
    userFilter: '(&(objectClass=posixAccount)(uid={user}))',
    groupFilter: '(&(objectClass=posixGroup)(memberUid={uid}))',
  },
  rfc2307bis: RFC2307BIS,
  /** RFC 4519's other class of groups. A preset of its own, because a search by an attribute without an index reads the whole directory. */
  groupofuniquenames: { ...RFC2307BIS, groupFilter: '(uniqueMember={dn})' },
  /**
   * Active Directory, Microsoft's or Samba's: the server works out all groups of a user itself. Two groups of a domain may have the
   * same cn, but never the same sAMAccountName, which is also what winbind and SSSD show.
   */
  ad: {
    userFilter: '(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={user})(userPrincipalName={user})))',
    // [MS-ADTS] 5.1.1.1.1: sAMAccountName@domain names a user, whatever userPrincipalName says.
    implicitUserFilter: '(&(objectCategory=person)(objectClass=user)(sAMAccountName={local}))',
    strategy: 'token_groups',
    groupFilter: '(&(objectClass=group)(member={dn}))',
    isGroup: '(objectClass=group)',
    // GROUP_TYPE_SECURITY_ENABLED, [MS-ADTS] 2.2.12, by LDAP_MATCHING_RULE_BIT_AND.
    isSecurityGroup: '(groupType:1.2.840.113556.1.4.803:=2147483648)',
    nameAttribute: 'sAMAccountName',
    uidAttribute: 'sAMAccountName',
    primary: 'primaryGroupID',
    transitiveMemberOf: false,
  },
  /** FreeIPA: memberOf has the groups, nested ones too, but also roles and rules. */
  freeipa: {
    ...RFC2307BIS,
    userFilter: '(&(objectClass=posixAccount)(uid={user}))',
    strategy: 'memberof',
    groupFilter: '(&(objectClass=ipaUserGroup)(member={dn}))',
    isGroup: '(objectClass=ipaUserGroup)',
    transitiveMemberOf: true,
  },
};
