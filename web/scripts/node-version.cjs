// Refuses a Node that is older than package.json asks for: npm would only warn of it, among
// warnings that say nothing.
const { node } = require('../package.json').engines;
const need = node.match(/\d+/g).map(Number);
const is = process.versions.node.split('.').map(Number);
if (is[0] < need[0] || (is[0] === need[0] && is[1] < need[1])) {
  console.error(`Node ${process.versions.node} is too old: the dashboard is built with ${need.join('.')} or newer`);
  process.exit(1);
}
