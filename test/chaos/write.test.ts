import { describe, expect, it } from 'vitest'
import { pageWith } from '../../scripts/chaos/write.ts'

const section = (seed: number, text: string) => `10 machines, 5 minutes, seed ${seed}\n\n${text}`
const titlesOf = (page: string) => page.split('\n').filter((line) => line.startsWith('## '))

describe('the page with the figures of chaos runs', () => {
  it('keeps the sections of other runs, in the order of their seeds', () => {
    const page = [11, 2, 13].reduce((before, seed) => pageWith(before, section(seed, `figures of ${seed}`)), '')
    expect(titlesOf(page)).toEqual([2, 11, 13].map((seed) => `## 10 machines, 5 minutes, seed ${seed}`))
    for (const seed of [2, 11, 13]) expect(page).toContain(`seed ${seed}\n\nfigures of ${seed}\n`)
  })

  it('replaces the section of the same fleet, length and seed', () => {
    const before = pageWith(pageWith('', section(11, 'old figures')), section(12, 'others'))
    const page = pageWith(before, section(11, 'new figures'))
    expect(titlesOf(page)).toHaveLength(2)
    expect(page).toContain('new figures')
    expect(page).not.toContain('old figures')
  })

  it('is the same whoever wrote last', () => {
    const once = pageWith(pageWith('', section(11, 'a')), section(12, 'b'))
    expect(pageWith(once, section(11, 'a'))).toBe(once)
  })
})
