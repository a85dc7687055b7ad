/** How code of another language starts programs. Patterns are tried on code whose strings are blanked out. */
export interface Language {
  /** Calls that start a program; their arguments begin where the match ends. */
  readonly spawns: RegExp;
  /** Calls that count only where the code mentions this. */
  readonly spawnsWith?: { readonly mention: RegExp; readonly calls: RegExp };
  /** Calls that run text as code of the same language. */
  readonly evaluates: RegExp;
  /** Ways to reach a program that cannot be read from the code. */
  readonly hides: RegExp | null;
  /** Quotes whose content goes to a shell, as the backticks of Perl; tried on the code as written. */
  readonly shellQuotes: RegExp | null;
  readonly quotes: string;
  readonly comment: RegExp;
  /** `open("cmd|")` and the like: strings that name a command by a pipe at one end. */
  readonly pipes: RegExp | null;
}

const HASH_COMMENT = /^[ \t]*#.*$/gm;
const SLASH_COMMENT = /^[ \t]*\/\/.*$/gm;

const GENERAL: Language = {
  spawns:
    /\b(?:system[23*]?|shell_cmd|unix|popen|popen2|dospopen|execl[pe]?|execvp?e?|execlp|posix_spawnp?|shell-command(?:-to-string)?|async-shell-command|call-process(?:-shell-command)?|start-process(?:-shell-command)?|process-lines|make-process|open-(?:input-|output-)?pipe\*?|run-program|System\.cmd|System\.shell|:?os[:.]cmd|Port\.open|callCommand|callProcess|readProcess|readCreateProcess|spawnCommand|spawnProcess|Sys\.command|Unix\.system|execCmd|execCmdEx|execProcess|startProcess|syscmd|esyscmd|do shell script|getRuntime\(\)\.exec|ProcessBuilder|exec\.Command(?:Context)?|Command::new|Process\.(?:run|start|spawn)|Deno\.Command|Deno\.run|Bun\.spawn(?:Sync)?|executeShell|spawnShell|runCommand|run|pipeline|exec)\b[*!]?\s*\(?/g,
  evaluates: /(?!)/g,
  hides: null,
  shellQuotes: null,
  quotes: "\"'`",
  comment: SLASH_COMMENT,
  pipes: null,
};

export const LANGUAGES: Readonly<Record<string, Language>> = {
  python: {
    spawns:
      /(?:\b(?:system|popen[234]?|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|startfile|Popen|check_output|check_call|getoutput|getstatusoutput|create_subprocess_exec|create_subprocess_shell|subprocess_exec|subprocess_shell)|\bsubprocess\s*\.\s*\w+|\bpty\s*\.\s*spawn|\bpexpect\s*\.\s*\w+)\s*\(/g,
    spawnsWith: { mention: /subprocess|pexpect|\bpty\b|\bsh\b/, calls: /\b(?:run|call|spawn)\s*\(/g },
    evaluates: /(?<![.\w])(?:eval|exec|compile)\s*\(/g,
    hides:
      /\bgetattr\s*\([^,()]{0,200}(?:\([^()]{0,200}\)[^,()]{0,200})?,(?!\s*(["'])(?!system|popen|exec|spawn|run|call)\w+\1\s*[,)])|__import__\s*\(\s*(?!["']\w+["']\s*\))|import_module\s*\(\s*(?!["'][\w.]+["']\s*\))|\b(?:globals|locals|vars)\(\)\s*\[|__dict__|__builtins__|\bos\s*\.\s*(?:system|popen|exec[lv]p?e?|spawn\w+)\s*(?![\w(\s])|\bsubprocess\s*\.\s*(?:run|call|Popen|check_\w+|getoutput|getstatusoutput)\s*(?![\w(\s])|\bimport\s+(?:\w+\s*,\s*)*(?:system|popen|run|call|Popen|check_\w+|exec[lv]\w*)\s+as\b|\bmarshal\b|\brunpy\b|\bos\s*\.\s*__|\b(?:builtins)\b/,
    shellQuotes: null,
    quotes: "\"'",
    comment: HASH_COMMENT,
    pipes: null,
  },
  node: {
    spawns:
      /\b(?:execSync|execFileSync|execFile|spawnSync|Deno\s*\.\s*run|Deno\s*\.\s*Command|Bun\s*\.\s*spawn(?:Sync)?)\s*\(/g,
    spawnsWith: { mention: /child_process/, calls: /\b(?:exec|spawn|fork)\s*\(/g },
    evaluates: /(?<![.\w])(?:eval|Function)\s*\(|\bvm\s*\.\s*run\w+\s*\(/g,
    hides:
      /(?<![.\w])(?:require|import)\s*\(\s*(?!["'`][^"'`$]+["'`]\s*\))|process\s*\.\s*binding|_linkedBinding|\bconstructor\b\s*\(/,
    shellQuotes: /\$`((?:[^`\\]|\\.){0,2000})`/g,
    quotes: "\"'`",
    comment: SLASH_COMMENT,
    pipes: null,
  },
  perl: {
    spawns:
      /(?<![\w$@%&>:-])(?:CORE::(?:GLOBAL::)?)?(?:system|exec|open[23]|syscall|IPC::Run::run|run3)\b(?!\s*\})\s*\(?/g,
    evaluates: /(?<![\w$@%>-])eval\b(?!\s*\{)\s*\(?/g,
    hides: /&\s*\{|&\$\w|\/\w*ee\w*[\s;})]|\bsymbol\b|\*\{/,
    shellQuotes:
      /`((?:[^`\\]|\\.){0,2000})`|\bqx\s*(?:\{([^}]{0,2000})\}|\(([^)]{0,2000})\)|\[([^\]]{0,2000})\]|<([^>]{0,2000})>|([/|!#'"~,])((?:(?!\6).){0,2000})\6)/gs,
    quotes: "\"'",
    comment: HASH_COMMENT,
    pipes: /(?<![\w$@%&>-])open\b\s*\(?/g,
  },
  ruby: {
    spawns:
      /(?<![\w$@:.])(?:system|exec|spawn|syscall)\b\s*\(?|\b(?:IO\.popen|Open3\.\w+|PTY\.spawn|Process\.(?:spawn|exec)|Kernel\.(?:system|exec|spawn|`))\s*\(?/g,
    evaluates: /(?<![\w$@:])(?:eval|instance_eval|class_eval|module_eval)\b\s*\(?/g,
    hides: /\b(?:send|public_send|__send__|method|const_get)\s*\(?\s*(?::(?:system|exec|spawn|`)|[^:\s)])/,
    shellQuotes:
      /`((?:[^`\\]|\\.){0,2000})`|%x(?:\{([^}]{0,2000})\}|\(([^)]{0,2000})\)|\[([^\]]{0,2000})\]|<([^>]{0,2000})>|([/|!#'"~,])((?:(?!\6).){0,2000})\6)/gs,
    quotes: "\"'",
    comment: HASH_COMMENT,
    pipes: /(?<![\w$@:.])open\b\s*\(?/g,
  },
  php: {
    spawns: /(?<![\w$>:])(?:system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec)\s*\(/g,
    evaluates: /(?<![\w$>:])(?:eval|assert|create_function)\s*\(/g,
    hides:
      /\$\w+\s*\(|\bcall_user_func|\barray_map\s*\(\s*["']|\b(?:include|require)(?:_once)?\s*\(?\s*["']?data:|\bReflectionFunction\b/,
    shellQuotes: /`((?:[^`\\]|\\.){0,2000})`/g,
    quotes: "\"'",
    comment: SLASH_COMMENT,
    pipes: null,
  },
  lua: {
    spawns: /\b(?:execute|popen|spawn)\b\s*\(?/g,
    evaluates: /(?<![.\w])(?:load|loadstring)\b\s*\(?/g,
    hides: /\[\s*["'](?:execute|popen)|\b(?:os|io|_G)\s*\[|\bdofile\s*\(?\s*["']\/dev\/stdin/,
    shellQuotes: null,
    quotes: "\"'",
    comment: /^[ \t]*--.*$/gm,
    pipes: null,
  },
  r: {
    ...GENERAL,
    spawns: /\b(?:system2?|shell|shell\.exec|pipe|processx::run)\s*\(/g,
    evaluates: /\beval\s*\(\s*parse\s*\(\s*text\s*=\s*/g,
    comment: HASH_COMMENT,
  },
  lisp: { ...GENERAL, comment: /^[ \t]*;.*$/gm, quotes: '"' },
  julia: { ...GENERAL, shellQuotes: /`((?:[^`\\]|\\.){0,2000})`/g, comment: HASH_COMMENT, quotes: '"' },
  groovy: { ...GENERAL, shellQuotes: /["']((?:[^"'\\\n]|\\.){0,2000})["']\s*\.\s*(?:execute\s*\(|!)/g },
  general: GENERAL,
};
