import { expect, test } from 'vitest'
import { generateIdentity, type MachineIdentity } from '../../credentials/index.ts'
import { sealBytes } from '../../credentials/sealing.ts'
import { openerOf } from '../kit/open-sealed.ts'

const openerFor = (identity: MachineIdentity) =>
  openerOf((JSON.parse(identity.export().text()) as { seal: string }).seal)

test.each([0, 1, 64 * 1024, 64 * 1024 + 1, 200_000])(
  'the kit opens what the library sealed: %i bytes',
  async (size) => {
    const identity = await generateIdentity({ sealing: 'x25519' })
    const text = Uint8Array.from({ length: size }, (_, i) => i % 251)
    const sealed = await sealBytes(identity.public.seal, text)
    expect(Buffer.compare(openerFor(identity)(sealed), text)).toBe(0)
  },
)

test('the kit refuses what is for another key or was changed, as the library does', async () => {
  const [mine, other] = [await generateIdentity({ sealing: 'x25519' }), await generateIdentity({ sealing: 'x25519' })]
  const sealed = await sealBytes(other.public.seal, Buffer.from('secret'))
  expect(() => openerFor(mine)(sealed)).toThrow(expect.objectContaining({ code: 'not-for-us' }))
  const changed = Uint8Array.from(sealed)
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1
  expect(() => openerFor(other)(changed)).toThrow(expect.objectContaining({ code: 'malformed' }))
})
