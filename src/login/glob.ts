/** Whether a whole text fits a glob. */
export type Glob = (text: string) => boolean;

/** What a place in a glob stands for: a character of its own, or one of these. */
const ANY_TEXT = Symbol('*');
const ANY_CHARACTER = Symbol('?');
type Token = string | typeof ANY_TEXT | typeof ANY_CHARACTER;

/**
 * Compiles a glob for names, which are no paths: `*` is any text, slashes included, `?` any character, `\` takes the next character
 * as it is. Matching takes time in proportion to glob and text at most: names are others', and made into a regular expression,
 * a glob with five asterisks takes minutes for a name of 255 hyphens.
 */
export function compileGlob(glob: string): Glob {
  const tokens = tokenize(glob);
  return (text) => {
    const characters = [...text];
    let token = 0;
    let at = 0;
    // Where to go on when what follows the last asterisk doesn't fit: earlier asterisks never need to take more than they have.
    let retry: { readonly token: number; at: number } | undefined;
    while (at < characters.length) {
      const expected = tokens[token];
      if (expected === ANY_TEXT) {
        token++;
        retry = { token, at };
      } else if (expected === ANY_CHARACTER || (expected !== undefined && expected === characters[at])) {
        token++;
        at++;
      } else if (retry !== undefined) {
        retry.at++;
        ({ token, at } = retry);
      } else return false;
    }
    return tokens.slice(token).every((left) => left === ANY_TEXT);
  };
}

function tokenize(glob: string): readonly Token[] {
  const tokens: Token[] = [];
  const characters = [...glob];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') tokens.push(ANY_TEXT);
    else if (character === '?') tokens.push(ANY_CHARACTER);
    else if (character === '\\' && at + 1 < characters.length) tokens.push(characters[++at] ?? '');
    else tokens.push(character);
  }
  return tokens;
}
