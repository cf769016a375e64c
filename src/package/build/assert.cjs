// Stands in for node:assert in the bundle, where posix-getopt and ldapts use nothing else of it. Node's own loads streams, sockets and perf_hooks:
// 25 of the 60 ms that exec mode took for a login.
exports.ok = (value, message) => {
  if (!value) throw new Error(message ?? 'assertion failed');
};
