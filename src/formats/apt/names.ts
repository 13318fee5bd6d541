/** Debian Policy 5.6.1, widened by the upper case, `_` and shorter names that third-party archives use. */
export const PACKAGE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9+._-]*$/;

export const ARCHITECTURE = /^[a-z0-9][a-z0-9-]*$/;

/** What an index may call a version: compared as dpkg does, but an odd one is no reason to lose the package. */
// eslint-disable-next-line no-control-regex
export const VERSION = /^[^\u0000-\u0020\u007f]+$/;
