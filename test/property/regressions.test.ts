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
  [
    'a window waits for the living one of two that were restored from one backup',
    { faults: 0.06, receiptDelayMs: 0, window: null, machines: 8 },
    [
      ['invite', 763674, 542598, 948820, 303421024],
      ['cycle', 639567, 109755, 950487, 1546061594],
      ['cycle', 80385, 533843, 837297, 759852522],
      ['paste', 563375, 292848, 308307, 2091500937],
      ['advance', 88804, 703738, 108224, 968582122],
      ['backup', 319928, 600771, 671093, 1128115662],
      ['invite', 298106, 766602, 866455, 1241308254],
      ['cycle', 164322, 949261, 301349, 1580134638],
      ['cycle', 222875, 138528, 263384, 2063149518],
      ['paste', 374474, 297430, 455890, 1787294747],
      ['restore', 27662, 29568, 38239, 155333953],
      ['send', 761527, 701109, 97502, 1116006711],
      ['cycle', 596769, 517145, 719433, 397612512],
      ['restore', 688962, 172011, 57579, 837691448],
      ['cycle', 614451, 880399, 423834, 1382703006],
    ],
  ],
  [
    'a hole in the log of an incarnation that was replaced is given up',
    { faults: 0.2, receiptDelayMs: 60000, window: { compactBytes: 3000, fullBytes: 30000, deadFiles: 4 }, machines: 4 },
    [
      ['invite', 469994, 524804, 205460, 1970750026],
      ['invite', 886889, 554892, 960979, 1313076684],
      ['cycle', 944300, 54113, 792671, 523278134],
      ['cycle', 665386, 565567, 543871, 666482816],
      ['paste', 347757, 812101, 118587, 468979098],
      ['paste-twice', 294707, 27196, 808134, 1931942799],
      ['cycle', 808503, 824279, 981014, 1569254852],
      ['cycle', 384905, 441731, 853862, 68672239],
      ['cycle', 213700, 334231, 736943, 741144531],
      ['cycle', 394798, 32386, 650833, 2084028322],
      ['send', 88434, 775214, 151529, 918652504],
      ['backup', 417946, 252269, 394679, 351704857],
      ['cycle', 642468, 12569, 788448, 587627515],
      ['send', 935892, 859190, 726711, 1207882870],
      ['sleep', 101852, 409611, 897626, 700895826],
      ['send', 728461, 253908, 374098, 442804477],
      ['cycle', 346049, 818171, 419904, 917548443],
      ['backup', 324120, 649812, 109609, 577886656],
      ['cycle', 325924, 888267, 97010, 159452559],
      ['restore', 120177, 497942, 606287, 1542864778],
      ['restore', 256670, 595281, 240415, 1410636900],
    ],
  ],
  [
    'a restored machine delivers what it had sent to an agent that has come to it since',
    { faults: 0.2, receiptDelayMs: 60000, window: { compactBytes: 3000, fullBytes: 30000, deadFiles: 4 }, machines: 4 },
    [
      ['backup', 183653, 729694, 253206, 2007754692],
      ['invite', 309980, 564855, 851254, 1307391941],
      ['cycle', 749172, 908920, 269543, 1115166115],
      ['cycle', 622164, 681339, 512196, 37564310],
      ['send', 372392, 134982, 588634, 520951779],
      ['paste-on', 76379, 709360, 197832, 1764685107],
      ['cycle', 776422, 66815, 186673, 93646891],
      ['cycle', 397602, 540164, 36543, 414484105],
      ['cycle', 33842, 934845, 959633, 1979549253],
      ['restore', 574626, 583573, 95822, 921155426],
    ],
  ],
  [
    'whoever pasted second is told, also by a host that had forgotten the first paste',
    {
      faults: 0.06,
      receiptDelayMs: 60000,
      window: { compactBytes: 2000, fullBytes: 200000, deadBytes: 4000 },
      machines: 3,
    },
    [
      ['invite', 644783, 122993, 769512, 787495201],
      ['invite', 73564, 849, 143636, 1894918138],
      ['cycle', 677947, 516376, 592293, 1501491656],
      ['cycle', 30564, 366473, 319505, 1872445050],
      ['paste', 301571, 55084, 992454, 1657690259],
      ['paste-twice', 143958, 888663, 465125, 1103165096],
      ['cycle', 68269, 349812, 463156, 589891507],
      ['cycle', 183522, 324937, 527176, 389702365],
      ['cycle', 112176, 352327, 973909, 406083808],
      ['cycle', 171159, 838301, 303250, 681617958],
      ['host-restore', 772951, 80591, 916806, 242776940],
    ],
  ],
  [
    'an orchestrator goes on where the host goes back to a control that it had put back itself',
    { faults: 0, receiptDelayMs: 60000, window: { compactBytes: 2000, fullBytes: 60000 }, machines: 5 },
    [
      ['invite', 205472, 380551, 232704, 1313991117],
      ['invite', 829565, 736610, 205296, 1362707309],
      ['cycle', 980604, 85811, 201745, 1163829539],
      ['host-backup', 650182, 9322, 338609, 1977010893],
      ['cycle', 211441, 218961, 964612, 1989299090],
      ['host-restore', 79934, 53579, 888932, 124026126],
      ['cycle', 34128, 44768, 913981, 1618533130],
      ['host-restore', 157653, 636754, 527788, 1903660187],
      ['paste-on', 410019, 459715, 518677, 1878726870],
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
