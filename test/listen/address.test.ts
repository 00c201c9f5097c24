import { describe, expect, it } from 'vitest'
import { parseListenAddress } from '../../src/listen/address.ts'

describe('an address to listen on', () => {
  it.each([
    '',
    '127.0.0.1',
    'example.org:80',
    '127.0.0.1:99999',
    '127.0.0.1:-1',
    '127.0.0.1:80\n',
    '[::1',
    'http://127.0.0.1:80',
    '1.2.3:80',
  ])('is refused when it is %j', (text) => {
    expect(() => parseListenAddress(text, true)).toThrow(expect.objectContaining({ code: 'usage' }))
  })

  it.each(['0.0.0.0:80', '[::]:80', '192.168.1.5:80', '[::ffff:127.0.0.1]:80'])(
    'that others can reach, such as %s, needs a second word',
    (text) => {
      expect(() => parseListenAddress(text, false)).toThrow(/can be reached/)
      expect(parseListenAddress(text, true)).toMatchObject({ isLoopback: false, port: 80 })
    },
  )

  it('is loopback unless it says otherwise', () => {
    expect(parseListenAddress('8765', false)).toEqual({ host: '127.0.0.1', port: 8765, isLoopback: true })
    expect(parseListenAddress('localhost:0', false)).toEqual({ host: '127.0.0.1', port: 0, isLoopback: true })
    expect(parseListenAddress('[::1]:80', false)).toEqual({ host: '::1', port: 80, isLoopback: true })
  })
})
