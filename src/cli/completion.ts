import { ArtifactsError } from '../core/errors.ts';
import type { Operation, OptionSpec } from '../operations/operation.ts';
import { defineOperation, optionFlag } from '../operations/operation.ts';
import { GLOBAL_OPTIONS } from './globals.ts';

/** What takes a value: the word behind it is none of the command's. */
const VALUED = GLOBAL_OPTIONS.filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`);
/** Its value is a folder. */
const FOLDERS = GLOBAL_OPTIONS.filter(({ value }) => value === 'DIR').map(({ name }) => name);

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** The operation `completion`, which knows all others and itself. */
export function completionOperation(operations: readonly Operation[]): Operation {
  const completion: Operation = defineOperation({
    name: 'completion',
    summary: 'Print a completion script for bash, zsh or fish',
    description: 'Commands, options and fixed values are completed. The script is made from the declared commands.',
    example: '$ artifacts completion bash > ~/.local/share/bash-completion/completions/artifacts',
    arguments: { shell: { summary: 'bash, zsh or fish' } },
    options: {},
    async run(_app, { shell }) {
      if (!isShell(shell)) {
        throw new ArtifactsError('E_USAGE', `No completion for the shell "${shell}"`, {
          hint: `There is one for ${Object.keys(SHELLS).join(', ')}.`,
        });
      }
      return { shell, script: SHELLS[shell](completionTable([...operations, completion])) };
    },
    render: ({ script }) => script.trimEnd(),
  });
  return completion;
}

/** What may follow: for each command and each beginning of one, the next words and the options. */
export interface CompletionTable {
  /** `''` is the bare program, `mirror` a group, `mirror update` a command. */
  readonly words: ReadonlyMap<string, readonly string[]>;
  /** Fixed values by command and flag, `mirror update --policy`; those of global options by flag alone. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

function completionTable(operations: readonly Operation[]): CompletionTable {
  const globals = [...GLOBAL_OPTIONS.map(({ name }) => `--${name}`), '--help'];
  const words = new Map<string, string[]>();
  const values = new Map<string, readonly string[]>();
  for (const { name, choices } of GLOBAL_OPTIONS) if (choices !== undefined) values.set(`--${name}`, choices);
  for (const { name, options } of operations) {
    const parts = name.split(' ');
    for (const [index, part] of parts.entries()) {
      const path = parts.slice(0, index).join(' ');
      words.set(path, [...new Set([...(words.get(path) ?? []), part])]);
    }
    words.set(name, [...(words.get(name) ?? []), ...Object.keys(options).map(optionFlag)]);
    for (const [key, spec] of Object.entries(options)) addValues(values, `${name} ${optionFlag(key)}`, spec);
  }
  return { words: new Map([...words].map(([path, next]) => [path, [...next, ...globals]])), values };
}

function addValues(values: Map<string, readonly string[]>, key: string, spec: OptionSpec): void {
  if (spec.kind === 'choice') values.set(key, spec.choices);
}

function isShell(name: string): name is keyof typeof SHELLS {
  return Object.hasOwn(SHELLS, name);
}

/** Shared by bash and zsh, which differ only in where the words are and where the answer goes. */
function shellCases({ words, values }: CompletionTable): { paths: string; next: string; values: string } {
  const paths = [...words.keys()].filter((path) => path !== '').map(quote);
  const cases = (table: ReadonlyMap<string, readonly string[]>, prefix: string): string =>
    [...table].map(([key, list]) => `    ${prefix}${quote(key)}) found=${quote(list.join(' '))} ;;`).join('\n');
  const named = new Map([...values].filter(([key]) => !key.startsWith('--')));
  const global = new Map([...values].filter(([key]) => key.startsWith('--')));
  return { paths: paths.join('|'), next: cases(words, ''), values: `${cases(named, '')}\n${cases(global, '*')}` };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function folders(): string {
  return FOLDERS.map((name) => `--${name}`).join('|');
}

function bashScript(table: CompletionTable): string {
  const { paths, next, values } = shellCases(table);
  return `# bash completion for artifacts
_artifacts() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' found='' word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in ${VALUED.join('|')}) ((index++)); continue ;; esac
    case "\${path:+$path }$word" in ${paths}) path="\${path:+$path }$word" ;; esac
  done
  case "$previous" in ${folders()}) COMPREPLY=($(compgen -d -- "$current")); return ;; esac
  case "$path $previous" in
${values}
  esac
  if [ -z "$found" ]; then case "$path" in
${next}
  esac; fi
  COMPREPLY=($(compgen -W "$found" -- "$current"))
}
complete -F _artifacts artifacts
`;
}

function zshScript(table: CompletionTable): string {
  const { paths, next, values } = shellCases(table);
  return `#compdef artifacts
_artifacts() {
  local previous="\${words[CURRENT-1]}" path_so_far='' found='' word skip=''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n "$skip" ]]; then skip=''; continue; fi
    case "$word" in (${VALUED.join('|')}) skip=yes; continue ;; esac
    case "\${path_so_far:+$path_so_far }$word" in (${paths}) path_so_far="\${path_so_far:+$path_so_far }$word" ;; esac
  done
  case "$previous" in (${folders()}) _files -/; return ;; esac
  case "$path_so_far $previous" in
${values}
  esac
  if [[ -z "$found" ]]; then case "$path_so_far" in
${next}
  esac; fi
  compadd -- \${=found}
}
compdef _artifacts artifacts
`;
}

function fishScript({ words, values }: CompletionTable): string {
  const paths = [...words.keys()].filter((path) => path !== '').map(quote);
  const lines = [...words].map(([path, next]) => `complete -c artifacts -f -n "__artifacts_at '${path}'" -a '${next.join(' ')}'`);
  const choices = [...values].map(([key, list]) => {
    const flag = key.slice(key.lastIndexOf('--') + 2);
    const path = key.slice(0, key.lastIndexOf('--')).trim();
    const condition = path === '' ? '' : ` -n "__artifacts_at '${path}'"`;
    return `complete -c artifacts -x${condition} -l ${flag} -a '${list.join(' ')}'`;
  });
  return `# fish completion for artifacts
function __artifacts_at
  set -l path ''
  set -l skip no
  for word in (commandline -opc)[2..-1]
    if test $skip = yes
      set skip no
    else if contains -- $word ${VALUED.join(' ')}
      set skip yes
    else if contains -- (string trim -- "$path $word") ${paths.join(' ')}
      set path (string trim -- "$path $word")
    end
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
${FOLDERS.map((name) => `complete -c artifacts -x -l ${name} -a '(__fish_complete_directories)'`).join('\n')}
${choices.join('\n')}
`;
}
