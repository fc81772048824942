/** Of the release: that of every package.json. */
export const VERSION = "0.1.0";
