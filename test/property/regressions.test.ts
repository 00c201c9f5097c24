import { expect, test } from 'vitest'
import { memoryFleet } from '../kit/memory-fleet.ts'
import { play } from './play.ts'
import type { Action, Profile } from './schedule.ts'

/** Schedules that once broke a promise, shortened; each failed before the fix of its title. */
const CALM: Profile = { faults: 0, receiptDelayMs: 0, window: null }
const LOSSY: Profile = { faults: 0.06, receiptDelayMs: 0, window: null }
const STORM: Profile = { faults: 0.2, receiptDelayMs: 60_000, window: { compactBytes: 3_000, fullBytes: 30_000 } }

const REGRESSIONS: readonly (readonly [string, Profile, readonly Action[]])[] = [
  [
    'an orchestrator that lost an answer writes with no key that nobody else got',
    STORM,
    [
      ['invite', 613923, 88670, 302140, 177105],
      ['invite', 77620, 830181, 990538, 722252],
      ['cycle', 246133, 17244, 680317, 990810],
      ['cycle', 174905, 503706, 27846, 391049],
      ['paste-twice', 472742, 384263, 238419, 336007],
      ['send', 406506, 593796, 466232, 234172],
      ['cycle', 665319, 841998, 923446, 169625],
      ['cycle', 236496, 64522, 680946, 127287],
      ['cycle', 483862, 536240, 860399, 652590],
    ],
  ],
  [
    'a machine that lost its invite before its first note is told',
    LOSSY,
    [
      ['invite', 261559, 361849, 542791, 616490],
      ['invite', 586276, 630893, 867897, 662172],
      ['cycle', 718897, 577704, 932388, 443303],
      ['cycle', 897883, 193697, 891989, 488592],
      ['paste-twice', 525415, 58676, 533897, 290558],
      ['cycle', 308430, 529792, 839264, 725611],
      ['cycle', 280878, 72731, 766423, 65733],
    ],
  ],
  [
    "a row is freed when the last to acknowledge is an agent of the sender's machine",
    LOSSY,
    [
      ['invite', 740436, 270727, 600614, 47293],
      ['cycle', 558823, 313703, 551670, 232922],
      ['cycle', 639393, 979837, 170641, 951400],
      ['paste-on', 895784, 835990, 101339, 768418],
      ['send', 914723, 249060, 455475, 284540],
    ],
  ],
  [
    'an agent whose invite another machine won says nothing to the agents beside it',
    STORM,
    [
      ['invite', 653957, 396408, 40954, 244748],
      ['invite', 527011, 985178, 638693, 892223],
      ['cycle', 172726, 597908, 765210, 535133],
      ['cycle', 897008, 519467, 76219, 647306],
      ['paste', 28159, 766268, 277405, 660515],
      ['paste-twice', 999900, 58570, 944851, 200398],
      ['cycle', 593564, 723223, 32516, 928722],
      ['send', 990279, 375957, 340585, 335991],
    ],
  ],
  [
    'what an agent asked for before another machine won its invite is not kept for ever',
    CALM,
    [
      ['invite', 407597, 691496, 440002, 187101],
      ['invite', 273166, 659329, 998425, 64908],
      ['cycle', 492341, 705654, 345473, 681811],
      ['cycle', 608197, 728339, 493955, 450267],
      ['paste', 518951, 172069, 86251, 568824],
      ['paste-twice', 79563, 952729, 259368, 7782],
      ['cycle', 260618, 608500, 612568, 521095],
      ['invite', 79559, 352117, 33889, 630192],
      ['cycle', 753771, 937602, 999071, 458805],
      ['cycle', 454713, 141228, 14793, 752304],
      ['cycle', 192713, 481983, 287947, 305090],
      ['cycle', 137430, 910694, 789662, 801504],
      ['paste-twice', 54131, 28036, 803517, 948525],
      ['talk', 852694, 726835, 333637, 772358],
      ['cycle', 374323, 598920, 268360, 769136],
    ],
  ],
  [
    'a member that takes an invite finds nothing wrong with the grants that were sealed to it',
    LOSSY,
    [
      ['invite', 740436, 270727, 600614, 47293],
      ['cycle', 558823, 313703, 551670, 232922],
      ['cycle', 639393, 979837, 170641, 951400],
      ['paste-on', 895784, 835990, 101339, 768418],
    ],
  ],
  [
    'what waited for an invited agent reaches it on the machine that sent it',
    LOSSY,
    [
      ['invite', 740436, 270727, 600614, 47293],
      ['cycle', 558823, 313703, 551670, 232922],
      ['cycle', 639393, 979837, 170641, 951400],
      ['paste-on', 895784, 835990, 101339, 768418],
      ['send', 914723, 249060, 455475, 284540],
    ],
  ],
  [
    'an orchestrator whose cache was wiped goes on signing',
    CALM,
    [
      ['invite', 630705, 608503, 77106, 395880],
      ['cycle', 501379, 395948, 34476, 285514],
      ['cycle', 412315, 828850, 692337, 705659],
      ['paste-twice', 191554, 29690, 755589, 231367],
      ['wipe', 545790, 155758, 357600, 879503],
    ],
  ],
  [
    'a machine that lost its invite is no restored one, whatever others have read of the winner',
    LOSSY,
    [
      ['invite', 16519, 619515, 782864, 1024156783],
      ['invite', 260137, 552170, 6300, 387692842],
      ['cycle', 476470, 970230, 165749, 1379912809],
      ['cycle', 556171, 353491, 452689, 702271561],
      ['paste', 633243, 105241, 484289, 2121852695],
      ['paste-twice', 554268, 649546, 294420, 1884397595],
      ['send', 506416, 997011, 814312, 1304427235],
      ['cycle', 994678, 846778, 595982, 1138181143],
      ['cycle', 814748, 104967, 693535, 2063606952],
      ['cycle', 267712, 445974, 840480, 1864495367],
      ['cycle', 400763, 265611, 798681, 1561774578],
    ],
  ],
]

test.each(REGRESSIONS)('%s', async (_title, profile, actions) => {
  const { violations } = await play({ seed: 0, profile, actions })
  expect(violations).toEqual([])
})

test('a thousand messages for an agent that has not joined hold up nobody else', async () => {
  const fleet = await memoryFleet()
  const joined = await fleet.join(await fleet.invite('joined'))
  await fleet.invite('absent')
  await fleet.settle(4)
  for (let i = 0; i <= 1000; i++) fleet.lead.bridge.send({ agent: 'lead', to: 'absent', text: `${i}` })
  fleet.lead.bridge.send({ agent: 'lead', to: 'joined', text: 'hello' })
  await fleet.settle(3)
  expect(joined.bridge.receive({ agent: 'joined' }).messages.map(({ text }) => text)).toEqual(['hello'])
  fleet.close()
})
