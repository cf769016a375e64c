/** Where diagnostics go: the launcher says so where it keeps Node.js's own last words from the log. */
export const STDERR: 2 | 4 = process.env.ACL_GROUPS_LOG_DESCRIPTOR === '4' ? 4 : 2;
