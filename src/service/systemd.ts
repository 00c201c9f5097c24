/** A unit of the user's systemd (systemd.service(5), systemd.syntax(7)). */
import { join } from 'node:path'
import { GitwireError } from '../errors.ts'
import { seal } from './seal.ts'
import type { ServicePlan, ServiceSpec } from './types.ts'

/** @param configDir `$XDG_CONFIG_HOME` or its default */
export function systemdPlan(spec: ServiceSpec, configDir: string): ServicePlan {
  const unit = `gitwire-${spec.fleet.slice(0, 8)}.service`
  const systemctl = (...words: string[]) => ['systemctl', '--user', ...words]
  return {
    path: join(configDir, 'systemd', 'user', unit),
    text: seal(unitText(spec), 0, (words) => `# ${words}`),
    enable: [systemctl('daemon-reload'), systemctl('enable', '--now', unit)],
    disable: [systemctl('disable', '--now', unit)],
    after: [systemctl('daemon-reload')],
    running: systemctl('is-active', '--quiet', unit),
    notes: [
      'It runs while you are logged in. `loginctl enable-linger` keeps it running without a login.',
      'It does not see your ssh agent: give it a key of its own in ~/.ssh/config.',
    ],
  }
}

function unitText({ fleet, node, bin, env }: ServiceSpec): string {
  const variables = Object.entries(env).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}`)
  return [
    '[Unit]',
    `Description=gitwire, fleet ${fleet.slice(0, 8)}`,
    '',
    '[Service]',
    `ExecStart=${program(node)} ${argument(bin)} serve --fleet ${fleet}`,
    ...variables,
    'Restart=on-failure',
    'RestartSec=10',
    // A stop waits for the running cycle, at most 10 s.
    'TimeoutStopSec=20',
    'UMask=0077',
    'NoNewPrivileges=yes',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n')
}

/** systemd takes no program with a quote or a backslash in its path, however it is written. */
function program(path: string): string {
  if (!/["'\\]/.test(path)) return quote(path)
  throw new GitwireError('usage', `systemd starts nothing from a path such as ${path}`, {
    hint: 'use a Node.js under another path',
  })
}

/** Past the program `$` begins a variable; in the program's own path it does not (systemd.service(5), COMMAND LINES). */
function argument(text: string): string {
  return quote(text).replaceAll('$', '$$$$')
}

/** A word in double quotes; `%` begins a specifier even there. */
function quote(text: string): string {
  if (/\p{Cc}/u.test(text)) {
    throw new GitwireError('usage', 'a path holds a control character', { hint: 'install gitwire under another path' })
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`
}
