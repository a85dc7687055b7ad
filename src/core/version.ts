/** Set by the bundler from package.json. */
declare const CSE_VERSION: string | undefined;

export const VERSION: string = typeof CSE_VERSION === "string" ? CSE_VERSION : "0.0.0-source";
