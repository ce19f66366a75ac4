// A core module is shared by all test files of a worker: what hangs on it outlives the file, as real leaks do.
const shared = require("node:events");

const MIB_OF_OBJECTS = 15000;
const objects = (mib) => Array.from({ length: mib * MIB_OF_OBJECTS }, (_, i) => ({ id: i, label: i * 0.5 }));

module.exports = function work(leakMib, needMib) {
  (shared.leaked ??= []).push(objects(leakMib));
  return objects(needMib).length / MIB_OF_OBJECTS;
};
