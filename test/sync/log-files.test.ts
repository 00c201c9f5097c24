import { describe, expect, test } from 'vitest'
import { logFilesOf, splitLogFile } from '../../sync/log-files.ts'
import { LIMITS } from '../../sync/paths.ts'
import type { Oid, TreeFile } from '../../sync/ports.ts'

const file = (path: string, size: number | null = 10): TreeFile => ({ path, oid: '0'.repeat(40) as Oid, size })
const bytes = (text: string) => new TextEncoder().encode(text)
const one = { file: file('log/5-6.jsonl'), from: 5, to: 6 }
const badTree = expect.objectContaining({ code: 'bad-tree' })

describe('the log files of a tree', () => {
  test.each([
    ['overlap', ['log/1-5.jsonl', 'log/5-9.jsonl']],
    ['leave a gap', ['log/1-5.jsonl', 'log/7-9.jsonl']],
    ['start at the same line', ['log/1-5.jsonl', 'log/1-3.jsonl']],
    ['lie inside one another', ['log/1-9.jsonl', 'log/3-4.jsonl', 'log/10-11.jsonl']],
  ])('are refused where they %s', (_what, paths) => {
    expect(() => logFilesOf(paths.map((path) => file(path)))).toThrow(badTree)
  })

  test('are refused where there are more than 256, more than 32 MB, or one was too large to fetch', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => file(`log/${i + 1}-${i + 1}.jsonl`))
    expect(logFilesOf(many(LIMITS.logFiles))).toHaveLength(256)
    expect(() => logFilesOf(many(LIMITS.logFiles + 1))).toThrow(badTree)
    expect(() => logFilesOf([file('log/1-1.jsonl', LIMITS.logBytes + 1)])).toThrow(badTree)
    expect(() => logFilesOf([file('log/1-1.jsonl', null)])).toThrow(badTree)
  })

  test('are sorted by number, and other files beside them mean nothing', () => {
    const tree = ['log/10-11.jsonl', 'manifest', 'log/9-9.jsonl', 'log/x.jsonl', 'log/2-8.jsonl'].map((path) =>
      file(path),
    )
    expect(logFilesOf(tree).map(({ from, to }) => [from, to])).toEqual([
      [2, 8],
      [9, 9],
      [10, 11],
    ])
    expect(logFilesOf([])).toEqual([])
  })
})

describe('the lines of a log file', () => {
  test.each([
    ['without a last newline', 'a\nb'],
    ['with a line too few', 'a\n'],
    ['with a line too many', 'a\nb\nc\n'],
    ['with an empty line at its end', 'a\nb\n\n'],
    ['that is empty', ''],
  ])('are refused in a file %s', (_what, text) => {
    expect(() => splitLogFile(one, bytes(text))).toThrow(badTree)
  })

  test('are refused where one is over 72 KB of bytes, even if it has fewer characters', () => {
    expect(splitLogFile(one, bytes(`${'a'.repeat(LIMITS.lineBytes)}\nb\n`))).toHaveLength(2)
    expect(() => splitLogFile(one, bytes(`${'a'.repeat(LIMITS.lineBytes + 1)}\nb\n`))).toThrow(badTree)
    expect(() => splitLogFile(one, bytes(`${'ä'.repeat(LIMITS.lineBytes - 10)}\nb\n`))).toThrow(badTree)
  })

  test('are refused where they are not UTF-8, rather than repaired', () => {
    expect(() => splitLogFile(one, Uint8Array.of(0x61, 0x0a, 0xff, 0x0a))).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    )
  })

  test('keep every other character, a carriage return and a byte order mark included', () => {
    expect(splitLogFile(one, bytes('\ufeffa\r\n\u2028\n'))).toEqual(['\ufeffa\r', '\u2028'])
  })
})
