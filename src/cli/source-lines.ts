/** The program runs as compiled files; a bug is reported by the lines that people read. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

type Payload = ConstructorParameters<typeof SourceMap>[0];

/**
 * The stack with every place in a compiled file replaced by the one in its source, where a source map beside it tells that.
 * Read only now: with the maps of Node itself each start takes 0.05 s longer.
 */
export function withSourceLines(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replace(/(file:\/\/\S+\.c?js):(\d+):(\d+)/g, (place: string, file: string, line: string, column: string) => {
    if (!maps.has(file)) maps.set(file, readMap(file));
    const origin = maps.get(file)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !('fileName' in origin)) return place;
    return `${new URL(origin.fileName, file).href}:${origin.lineNumber}:${origin.columnNumber}`;
  });
}

/** Undefined when there is none: the place in the compiled file is better than another error. */
function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(new URL(`${file}.map`), 'utf8')) as Payload);
  } catch {
    return undefined;
  }
}
