/** Tags of rpm headers that are read here (rpm's include/rpm/rpmtag.h). */
export const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  description: 1005,
  buildTime: 1006,
  buildHost: 1007,
  size: 1009,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  group: 1016,
  url: 1020,
  arch: 1022,
  oldFileNames: 1027,
  fileModes: 1030,
  fileFlags: 1037,
  sourceRpm: 1044,
  archiveSize: 1046,
  changelogTime: 1080,
  changelogName: 1081,
  changelogText: 1082,
  sourcePackage: 1106,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  longSize: 5009,
  payloadDigest: 5092,
  payloadDigestAlgorithm: 5093,
  modularityLabel: 5096,
  /** The version of the format, from 6 on. */
  rpmFormat: 5114,
} as const;

/** Tags of the signature header; their numbers mean other things in the header itself. */
export const SIGNATURE_TAG = {
  dsa: 267,
  rsa: 268,
  sha1: 269,
  longArchiveSize: 271,
  /** rpmtag.h: SIG_BASE + 17; format_v6.md says 272, which no rpm writes. */
  sha256: 273,
  /** Signatures in base64, any number of them: rpm 6. */
  openpgp: 278,
  sha3: 279,
  /** Room for signatures that are made later, in packages of rpm 6. */
  reserved: 999,
  /** Of header and payload together, by RSA and by other keys: what rpm made before 4.14. */
  pgp: 1002,
  gpg: 1005,
  /** Of header and payload together. */
  md5: 1004,
  payloadSize: 1007,
  /** The same room in packages of rpm 4. */
  reservedSpace: 1008,
} as const;

/** The same of weak ones as SUSE wrote them before rpm 4.12 had any: a flag tells the strong of them. */
export const OLD_WEAK_TAGS = { suggests: [1156, 1158, 1157], enhances: [1159, 1161, 1160] } as const;

/** Name, flags and version of each kind of relation. */
export const RELATION_TAGS = {
  provides: [1047, 1112, 1113],
  requires: [1049, 1048, 1050],
  conflicts: [1054, 1053, 1055],
  obsoletes: [1090, 1114, 1115],
  suggests: [5049, 5051, 5050],
  enhances: [5055, 5057, 5056],
  recommends: [5046, 5048, 5047],
  supplements: [5052, 5054, 5053],
} as const;
