import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  controlRef,
  logPath,
  machineRef,
  NAME,
  parseLogPath,
  parseMachineRef,
  parsePeerName,
  peerName,
} from '../../sync/paths.ts'

describe('names', () => {
  test.each(['', 'A', 'a_b', 'a.b', 'a/b', 'ä', 'a'.repeat(41), 'a\n', ' a'])('%j is no name', (name) => {
    expect(NAME.test(name)).toBe(false)
  })

  test.each(['constructor', 'prototype'])('%s is no name, because no JSON key may be called so', (name) => {
    expect(NAME.test(name)).toBe(false)
    expect(NAME.test(`${name}-2`)).toBe(true)
  })

  test.each(['a', '-', '0', 'big-box', 'a'.repeat(40)])('%s is a name', (name) => {
    expect(NAME.test(name)).toBe(true)
  })
})

describe('the name of an incarnation', () => {
  test.each([
    '',
    'w1',
    'w1-',
    '-0a1b2c3d',
    'w1-0A1B2C3D',
    'w1-0a1b2c3',
    'w1_0a1b2c3d',
    'w1-0a1b2c3d\n',
    `${'a'.repeat(41)}-0a1b2c3d`,
  ])('%j is none', (name) => expect(parsePeerName(name)).toBeNull())

  test('comes apart as it was put together, also where the machine looks like an incarnation', () => {
    const machine = fc.stringMatching(/^[a-z0-9-]{1,40}$/).filter((name) => NAME.test(name))
    fc.assert(
      fc.property(machine, fc.stringMatching(/^[0-9a-f]{8}$/), (name, incarnation) => {
        const peer = { machine: name, incarnation }
        expect(parsePeerName(peerName(peer))).toEqual(peer)
        expect(parseMachineRef('gitwire/', machineRef('gitwire/', peer))).toEqual(peer)
      }),
    )
  })
})

describe('refs', () => {
  test.each([
    'refs/heads/gitwire/control',
    'refs/tags/gitwire/m/w1-0a1b2c3d',
    'refs/heads/other/m/w1-0a1b2c3d',
    'refs/heads/gitwire/m/w1-0a1b2c3d/x',
    'refs/heads/gitwire/m/../w1-0a1b2c3d',
    'xrefs/heads/gitwire/m/w1-0a1b2c3d',
  ])('%s is no ref of a machine', (ref) => expect(parseMachineRef('gitwire/', ref)).toBeNull())

  test('stand under the prefix', () => {
    expect(controlRef('gitwire/')).toBe('refs/heads/gitwire/control')
    expect(machineRef('x/', { machine: 'w1', incarnation: '0a1b2c3d' })).toBe('refs/heads/x/m/w1-0a1b2c3d')
  })
})

describe('the path of a log file', () => {
  test.each([
    'log/0-1.jsonl',
    'log/01-2.jsonl',
    'log/2-1.jsonl',
    'log/1.jsonl',
    'log/1-2.json',
    'log/1-2.jsonl\n',
    'log/-1-2.jsonl',
    'log/1e3-2e3.jsonl',
    'log/1-9007199254740992.jsonl',
    'log/1-99999999999999999.jsonl',
    'logs/1-2.jsonl',
    'x/log/1-2.jsonl',
  ])('%j is none', (path) => expect(parseLogPath(path)).toBeNull())

  test('comes apart as it was put together', () => {
    expect(parseLogPath(logPath(1, 1))).toEqual({ from: 1, to: 1 })
    expect(parseLogPath(logPath(7, Number.MAX_SAFE_INTEGER))).toEqual({ from: 7, to: Number.MAX_SAFE_INTEGER })
  })
})
