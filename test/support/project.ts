import { fileURLToPath } from 'node:url';

/** The directory of the checkout. What is bundled of the tests lies as deep below it as this file. */
export const PROJECT: string = fileURLToPath(new URL('../..', import.meta.url));
