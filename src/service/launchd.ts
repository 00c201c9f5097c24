/** A launch agent of macOS (launchd.plist(5)). */
import { join } from 'node:path'
import { GitwireError } from '../errors.ts'
import { seal } from './seal.ts'
import type { ServicePlan, ServiceSpec } from './types.ts'

/**
 * @param home the user's home folder
 * @param uid the user's number, which names the domain of the login session
 */
export function launchdPlan(spec: ServiceSpec, home: string, uid: number): ServicePlan {
  const label = `gitwire.${spec.fleet.slice(0, 8)}`
  const path = join(home, 'Library', 'LaunchAgents', `${label}.plist`)
  return {
    path,
    // The XML declaration must stay the first line.
    text: seal(
      plistText(spec, label, join(home, 'Library', 'Logs', `${label}.log`)),
      1,
      (words) => `<!-- ${words} -->`,
    ),
    enable: [['launchctl', 'bootstrap', `gui/${uid}`, path]],
    disable: [['launchctl', 'bootout', `gui/${uid}/${label}`]],
    after: [],
    running: ['launchctl', 'print', `gui/${uid}/${label}`],
    notes: [`It runs while you are logged in. What it says goes to ~/Library/Logs/${label}.log, which nobody rotates.`],
  }
}

function plistText({ fleet, node, bin, env }: ServiceSpec, label: string, log: string): string {
  const strings = (words: readonly string[]) => words.map((word) => `    <string>${xmlText(word)}</string>`)
  const variables = Object.entries(env).flatMap(([name, value]) => [
    `    <key>${xmlText(name)}</key>`,
    `    <string>${xmlText(value)}</string>`,
  ])
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    '  <key>Label</key>',
    `  <string>${label}</string>`,
    '  <key>ProgramArguments</key>',
    '  <array>',
    ...strings([node, bin, 'serve', '--fleet', fleet]),
    '  </array>',
    '  <key>EnvironmentVariables</key>',
    '  <dict>',
    ...variables,
    '  </dict>',
    '  <key>RunAtLoad</key>',
    '  <true/>',
    '  <key>KeepAlive</key>',
    '  <dict>',
    '    <key>SuccessfulExit</key>',
    '    <false/>',
    '  </dict>',
    '  <key>ThrottleInterval</key>',
    '  <integer>10</integer>',
    '  <key>ExitTimeOut</key>',
    '  <integer>20</integer>',
    '  <key>Umask</key>',
    // 077: launchd reads a number as decimal.
    '  <integer>63</integer>',
    '  <key>StandardOutPath</key>',
    `  <string>${xmlText(log)}</string>`,
    '  <key>StandardErrorPath</key>',
    `  <string>${xmlText(log)}</string>`,
    '</dict>',
    '</plist>',
    '',
  ].join('\n')
}

function xmlText(text: string): string {
  if (/\p{Cc}/u.test(text)) {
    throw new GitwireError('usage', 'a path holds a control character', { hint: 'install gitwire under another path' })
  }
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
