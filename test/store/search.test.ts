import { expect, onTestFinished, test } from 'vitest'
import { openStore, type Store } from '../../src/store/index.ts'

function makeStore(): Store {
  const store = openStore(null, Date.now)
  onTestFinished(() => store.close())
  return store
}

function add(store: Store, id: string, text: string): void {
  const message = {
    id,
    c: 'c',
    sender: 'a',
    recipients: ['b'],
    text,
    re: null,
    class: 'normal',
    action: null,
    files: null,
    at: 0,
  }
  store.transaction(() => store.messages.add(message, { machine: 'm', local: ['b'], remote: [] }, null))
}

function found(store: Store, word: string): string[] {
  return store.transaction(() => store.messages.search(`"${word}"`, null, 20).map(({ id }) => id))
}

test('a search whose transaction is undone leaves nothing out of the next one', () => {
  const store = makeStore()
  add(store, 'one', 'plain words')
  const undone = () =>
    store.transaction(() => {
      store.messages.search('"plain"', null, 20)
      throw new Error('full disk')
    })
  expect(undone).toThrow('full disk')
  expect(found(store, 'plain')).toEqual(['one'])
})

test('a search finds what came since the last one, each message once', () => {
  const store = makeStore()
  add(store, 'one', 'plain words')
  expect(found(store, 'words')).toEqual(['one'])
  add(store, 'two', 'other words')
  expect(found(store, 'words').sort()).toEqual(['one', 'two'])
  expect(found(store, 'words').sort()).toEqual(['one', 'two'])
})

test('an empty store finds nothing', () => {
  expect(found(makeStore(), 'words')).toEqual([])
})
