// A node program under load: objects, timers, promises, buffers, files and a child worker thread.
'use strict';
const fs = require('fs');
const { Worker } = require('worker_threads');
const directory = process.argv[2];
fs.mkdirSync(directory, { recursive: true });
const kept = new Map();
let n = 0;
let buffers = [];
function round() {
  for (let i = 0; i < 300; i++) {
    n++;
    kept.set('k' + (n % 20000), { n, text: 'v'.repeat(n % 50), list: [n, n + 1] });
  }
  buffers.push(Buffer.alloc(1 + (n * 7919) % 200000, n & 255));
  if (buffers.length > 20) buffers = buffers.slice(10);
  fs.writeFileSync(directory + '/f' + (n % 5), String(n));
}
setInterval(round, 3);
(async () => {
  for (;;) {
    await fs.promises.writeFile(directory + '/async', String(n));
    await new Promise((r) => setTimeout(r, 5));
  }
})();
new Worker('let a=[]; setInterval(()=>{a.push(new Array(1000).fill(Math.random())); if(a.length>50)a=[];},4)', { eval: true });
process.stdin.on('data', (d) => {
  for (const word of d.toString().split(/\s+/)) {
    if (word === 'check') {
      let good = true;
      for (const [k, v] of kept) if (k !== 'k' + (v.n % 20000) || v.list[1] !== v.n + 1) good = false;
      process.stdout.write(good ? 'ok\n' : 'BAD map\n');
    }
  }
});
process.stdin.on('end', () => process.exit(0));
process.stdout.write('ready\n');
