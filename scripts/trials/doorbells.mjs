// The trial behind docs/decisions/030: how soon a watch tells. The child writes, both read the same monotonic clock.
import { fork } from 'node:child_process'
import { mkdtempSync, watch as nodeWatch, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { watch } from 'chokidar'

const now = () => Number(process.hrtime.bigint()) / 1e6
const [, self, dir, burst, content] = process.argv
if (dir !== undefined) {
  for (let i = 0; i < 60; i++) {
    await sleep(200)
    if (burst === 'ref') {
      writeFileSync(join(dir, 'ref.lock'), String(i))
      process.send(now())
      renameSync(join(dir, 'ref.lock'), join(dir, 'ref'))
    } else for (let k = 0; k < Number(burst); k++) writeFileSync(join(dir, String(now())), content, { flag: 'wx' })
  }
  process.disconnect()
} else {
  for (const kind of ['fs.watch', 'chokidar'])
    for (const [rings, text] of [
      ['1', ''],
      ['10', ''],
      ['1', 'x'],
      ['10', 'x'],
      ['ref', ''],
    ]) {
      const folder = mkdtempSync(join(tmpdir(), 'bell-'))
      const heard = new Map()
      const refs = []
      const hit = (name) =>
        name === 'ref' ? refs.push(now()) : heard.has(name) || heard.set(name, now() - Number(name))
      const watcher = kind === 'chokidar' ? watch(folder) : nodeWatch(folder, (_event, name) => hit(name))
      if (kind === 'chokidar') watcher.on('all', (_event, path) => path !== folder && hit(basename(path)))
      await sleep(300)
      const sent = []
      const child = fork(self, [folder, rings, text]).on('message', (at) => sent.push(at))
      await new Promise((resolve) => child.on('exit', resolve))
      await sleep(300)
      for (const at of sent) heard.set(at, refs.find((ms) => ms > at) - at)
      heard.delete('ref.lock')
      const all = [...heard.values()].sort((a, b) => a - b)
      const at = (share) => all[Math.floor(share * (all.length - 1))]?.toFixed(2)
      console.log(kind, rings, text || '-', 'n', all.length, 'p50', at(0.5), 'p99', at(0.99))
      await watcher.close()
    }
}
