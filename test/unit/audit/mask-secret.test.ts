import { describe, expect, it } from "vitest";
import { maskArgv, maskText } from "../../../src/audit/mask-secret.ts";

function maskedWords(argv: readonly string[]): readonly string[] {
  return maskArgv(argv).map(({ text }) => text);
}

describe("maskArgv (H47, T93)", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["a value after =", ["/usr/bin/printf", "--token=SECRET"], ["/usr/bin/printf", "--token=***"]],
    ["a value with blanks after =", ["x", "--password=a b c"], ["x", "--password=***"]],
    ["the word after an option", ["x", "--password", "SECRET", "y"], ["x", "--password", "***", "y"]],
    ["the word after a short long option", ["x", "-api-key", "SECRET"], ["x", "-api-key", "***"]],
    ["an environment assignment", ["/usr/bin/env", "DB_PASSWORD=SECRET"], ["/usr/bin/env", "DB_PASSWORD=***"]],
    [
      "a name that ends in the word",
      ["x", "GITHUB_TOKEN=SECRET", "dbPassword=SECRET"],
      ["x", "GITHUB_TOKEN=***", "dbPassword=***"],
    ],
    ["mysql's -p", ["/usr/bin/mysqldump", "-uroot", "-pSECRET", "db"], ["/usr/bin/mysqldump", "-uroot", "-p***", "db"]],
    ["mysql's -p behind a launcher", ["/usr/bin/nice", "mariadb", "-pSECRET"], ["/usr/bin/nice", "mariadb", "-p***"]],
    ["sshpass", ["/usr/bin/sshpass", "-p", "SECRET", "ssh", "h"], ["/usr/bin/sshpass", "-p", "***", "ssh", "h"]],
    [
      "curl's user, keeping the name",
      ["curl", "-u", "bob:SECRET", "https://h/"],
      ["curl", "-u", "bob:***", "https://h/"],
    ],
    ["an Authorization header", ["curl", "-H", "Authorization: Bearer SECRET"], ["curl", "-H", "Authorization: ***"]],
    ["another header", ["curl", "-H", "X-Api-Key: SECRET"], ["curl", "-H", "X-Api-Key: ***"]],
    ["a URL's password", ["git", "clone", "https://u:SECRET@h/r"], ["git", "clone", "https://u:***@h/r"]],
    ["a URL's password with an @", ["x", "https://u:p@SECRET@h/"], ["x", "https://u:***@h/"]],
    ["a URL's token", ["x", "https://SECRET@h/"], ["x", "https://***@h/"]],
    [
      "a parameter of a URL",
      ["x", "https://h/?a=1&access_token=SECRET&b=2"],
      ["x", "https://h/?a=1&access_token=***&b=2"],
    ],
    ["inside a shell's text", ["sh", "-c", "TOKEN=SECRET curl h"], ["sh", "-c", "TOKEN=*** curl h"]],
    ["mysql inside a shell's text", ["sh", "-c", "mysql -u root -pSECRET db"], ["sh", "-c", "mysql -u root -p*** db"]],
    ["JSON", ["x", '{"password": "SECRET", "a": 1}'], ["x", '{"password": ***, "a": 1}']],
    ["a GitHub token", ["x", "ghp_0123456789abcdefSECRET"], ["x", "***"]],
    ["an AWS key", ["x", "AKIAABCDEFGHIJKLMNOP"], ["x", "***"]],
    ["a private key", ["x", "-----BEGIN RSA PRIVATE KEY-----\nSECRET"], ["x", "***"]],
    ["docker login's -p", ["docker", "login", "-p", "SECRET"], ["docker", "login", "-p", "***"]],
    ["openssl's -passin", ["openssl", "rsa", "-passin", "pass:SECRET"], ["openssl", "rsa", "-passin", "***"]],
  ])("masks %s", (_what, argv, expected) => {
    expect(maskedWords(argv)).toEqual(expected);
  });

  it.each([
    [["/usr/bin/apt-get", "install", "-y", "nginx"]],
    [["docker", "run", "-p", "8080:80", "image"]],
    [["x", "--token-file=/etc/token", "--password-stdin", "y"]],
    [["x", "--password", "--verbose"]],
    [["mysql", "-p", "db", "--port=3306"]],
    [["curl", "-u", "bob", "https://h/"]],
    [["x", "--author=me", "compose", "https://h/path@v2"]],
    [["git", "log", "--passenger=5"]],
  ])("leaves %j as it is", (argv) => {
    expect(maskArgv(argv)).toEqual(argv.map((text) => ({ text, isMasked: false })));
  });

  it("says which words were masked, also when a word looks masked by itself", () => {
    const masked = maskArgv(["x", "--token=***", "--token=SECRET"]);
    expect(masked.map(({ isMasked }) => isMasked)).toEqual([false, false, true]);
  });

  it("takes no longer than linear time for words made to slow it down", () => {
    const words = [
      "a".repeat(2_048),
      "token".repeat(400),
      "://:".repeat(500),
      'token="'.repeat(300),
      "mysql ".repeat(340),
    ];
    expect(maskArgv(["curl", ...words]).length).toBe(6);
    expect(maskText("-----BEGIN ".repeat(180)).isMasked).toBe(false);
  });
});
