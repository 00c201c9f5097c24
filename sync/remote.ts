/**
 * The remote through git's own programs: `list` by one raw request where http allows it, `fetch` and `push` by git.
 * The server's fast-forward check is the compare-and-swap: nothing is ever forced, so a push can only add to what
 * is there. A remote that was restored below `expected` is therefore moved forward again, and never loses anything.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Secret } from '../credentials/index.ts'
import { SyncError } from './errors.ts'
import { assertOid, classify, expectSuccess, readPushAnswer, syncError } from './git-answers.ts'
import { type GitCredentials, NO_CREDENTIALS } from './git-credentials.ts'
import { type GitResult, type GitRunner, succeeded } from './git-runner.ts'
import { createLsRefsClient, type LsRefsClient } from './ls-refs.ts'
import type { Oid, PushOutcome, RefName, RefTip, Remote } from './ports.ts'
import { arrival, assertRef, readRefLines } from './ref-lines.ts'
import { endSshConnections, localGitDir, sshCommand, usesProxy } from './remote-access.ts'
import type { RemoteUrl } from './remote-url.ts'
import type { GitRepository, ObjectFormat } from './repository.ts'
import { temporaryBytes } from './repository-sweep.ts'

const MAX_BLOB_BYTES = 1024 * 1024
const MAX_FETCH_BYTES = 256 * 1024 * 1024
const WATCH_EVERY_MS = 200
/** On this disk the other side's work is ours too: it neither compresses nor looks for deltas, and keeps large packs whole. */
const LOCAL_UPLOAD_PACK = '--upload-pack=git -c pack.compression=0 -c core.bigFileThreshold=64k upload-pack'
const LOCAL_RECEIVE_PACK = '--receive-pack=git -c receive.unpackLimit=10 -c core.bigFileThreshold=64k receive-pack'

/** What {@link openRemote} is given. */
export interface OpenRemoteOptions {
  readonly url: RemoteUrl
  readonly repository: GitRepository
  /** The fleet's part of the ref names, such as `gitwire/`. */
  readonly prefix: string
  readonly runner: GitRunner
  /** For https; none unless given. */
  readonly credentials?: GitCredentials
  /** A known_hosts file besides the user's and the system's: the host key an invite carries. */
  readonly knownHosts?: string
  /** An ssh configuration file instead of the user's. */
  readonly sshConfig?: string
  /** A private directory with a short path: ssh connections stay there for 2 minutes and serve the next call. */
  readonly sshControlDir?: string
  /** Milliseconds for each call of list, fetch and push. */
  readonly deadlineMs: number
  /** A larger blob is left on the remote where that can filter; 1 MiB unless told. */
  readonly maxBlobBytes?: number
  /** A fetch that receives more is ended with `too-large`; 256 MiB unless told. */
  readonly maxFetchBytes?: number
}

/**
 * Opens a remote. It asks the network nothing: the first `list` does.
 * @returns the port; besides its contract: a commit whose content git refuses (a bad tree, too large) does not make
 * `fetch` reject, `tree` rejects for it with `bad-tree` or `too-large`, and the other tips arrive; `push` may reject with
 * `aborted` although the remote has acted: list the ref, as after `unknown`.
 */
export async function openRemote(options: OpenRemoteOptions): Promise<Remote> {
  const gitRemote = new GitRemote(options)
  await gitRemote.prepare()
  return gitRemote
}

/**
 * The object format of a remote, for `openRepository`; null when it is empty and therefore does not tell.
 * @throws SyncError as `list` does.
 */
export async function probeObjectFormat(
  options: OpenRemoteOptions,
  signal?: AbortSignal,
): Promise<ObjectFormat | null> {
  const oids = await new GitRemote(options).lsRemote(['--', options.url.text], signal)
  const [first] = oids.values()
  return first === undefined ? null : first.length === 64 ? 'sha256' : 'sha1'
}

/**
 * Asks the remote whether this account may create a ref, without creating it. What only a real push shows, hooks and rules
 * about branches, is not asked.
 * @throws SyncError as `push` does
 */
export async function probePush(options: OpenRemoteOptions, signal?: AbortSignal): Promise<void> {
  const oid = await options.repository.commit({ parent: null, puts: new Map() })
  const ref = `refs/heads/${options.prefix}m/probe-00000000`
  await new GitRemote(options).push({ ref, oid, expected: null }, signal, ['--dry-run'])
}

class GitRemote implements Remote {
  readonly url: string
  readonly #options: OpenRemoteOptions
  readonly #credentials: GitCredentials
  #lsRefs: LsRefsClient | null = null
  /** The server has answered a v2 request with refs, so an empty answer can be believed. */
  #speaksV2 = false
  #localGitDir: string | null = null

  constructor(options: OpenRemoteOptions) {
    this.#options = options
    this.#credentials = options.credentials ?? NO_CREDENTIALS
    this.url = options.url.text
  }

  async prepare(): Promise<void> {
    const { url, runner } = this.#options
    if (this.#options.sshControlDir) await mkdir(this.#options.sshControlDir, { recursive: true, mode: 0o700 })
    if (url.path !== null) this.#localGitDir = localGitDir(url.path)
    const isHttp = url.kind === 'http' || url.kind === 'https'
    if (isHttp && !usesProxy(url, runner.environment())) this.#lsRefs = createLsRefsClient(url.text)
  }

  async list(foreign: readonly RefName[], signal?: AbortSignal): Promise<ReadonlyMap<RefName, Oid>> {
    const prefix = `refs/heads/${this.#options.prefix}`
    for (const ref of foreign) assertRef(ref)
    const all = await this.#listAll([prefix, ...foreign], signal)
    const expected = this.#options.repository.objectFormat === 'sha256' ? 64 : 40
    const refs = new Map([...all].filter(([ref]) => ref.startsWith(prefix) || foreign.includes(ref)))
    for (const oid of refs.values())
      if (oid.length !== expected)
        throw syncError('object-format', `${this.url} has object ids of ${oid.length} digits, not ${expected}`)
    return refs
  }

  async fetch(tips: readonly RefTip[], signal?: AbortSignal): Promise<void> {
    if (tips.length === 0) return
    const { repository } = this.#options
    try {
      // What was never seen comes without its history: the tip's tree holds all that is live.
      const isSeen = ({ ref }: RefTip) => existsSync(join(repository.dir, arrival(ref)))
      await this.#fetchTogether(
        tips.filter((tip) => !isSeen(tip)),
        ['--depth=1'],
        signal,
      )
      await this.#fetchTogether(tips.filter(isSeen), [], signal)
      for (const { oid } of tips) repository.refuse(oid, null)
    } catch (error) {
      const isContent = error instanceof SyncError && (error.code === 'bad-tree' || error.code === 'too-large')
      const [first] = tips
      if (!isContent || first === undefined) throw error
      // git refuses all when it refuses one, and one writer must not stop the others.
      if (tips.length > 1) for (const tip of tips) await this.fetch([tip], signal)
      else repository.refuse(first.oid, error)
    }
  }

  async #fetchTogether(tips: readonly RefTip[], depth: readonly string[], signal?: AbortSignal): Promise<void> {
    if (tips.length === 0) return
    const { repository, maxBlobBytes = MAX_BLOB_BYTES } = this.#options
    const refspecs = tips.map(({ ref }) => `+${assertRef(ref)}:${arrival(ref)}`)
    const args = [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--no-recurse-submodules',
      ...depth,
      `--filter=blob:limit=${maxBlobBytes}`,
      ...(this.#options.url.kind === 'file' ? [LOCAL_UPLOAD_PACK] : []),
      '--',
      this.url,
      ...refspecs,
    ]
    try {
      await this.#authorized(
        async (header) => expectSuccess(await this.#fetchWithin(args, header, signal), `fetching from ${this.url}`),
        signal,
      )
    } finally {
      await repository.dropPromisor()
    }
    for (const { ref, oid } of tips) {
      const arrived = await readFile(join(repository.dir, arrival(ref)), 'latin1').catch(() => '')
      if (arrived.trim() !== oid) throw syncError('moved', `${ref} moved between list and fetch`)
    }
  }

  async push(
    update: { readonly ref: RefName; readonly oid: Oid; readonly expected: Oid | null },
    signal?: AbortSignal,
    more: readonly string[] = [],
  ): Promise<PushOutcome> {
    const { ref, oid } = update
    const refspec = `${assertOid(oid)}:${assertRef(ref)}`
    const local = this.#options.url.kind === 'file' ? [LOCAL_RECEIVE_PACK] : []
    const args = ['push', '--porcelain', '--no-verify', '--no-signed', ...more, ...local, '--', this.url, refspec]
    const doing = `pushing ${ref} to ${this.url}`
    const outcome = await this.#authorized(
      async (header) => readPushAnswer(await this.#network(args, header, signal), ref, doing),
      signal,
    )
    if (outcome !== 'contested') return outcome
    return (await this.#listAll([ref], signal)).get(ref) === oid ? 'pushed' : 'refused'
  }

  async close(): Promise<void> {
    if (this.#options.sshControlDir) await endSshConnections(this.#options.sshControlDir)
    this.#lsRefs?.close()
  }

  /** All refs `git ls-remote` answers to these arguments. */
  async lsRemote(args: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<RefName, Oid>> {
    return this.#authorized(async (header) => {
      const result = await this.#network(['ls-remote', '--refs', ...args], header, signal)
      return readRefLines(expectSuccess(result, `listing refs of ${this.url}`))
    }, signal)
  }

  async #listAll(wanted: readonly RefName[], signal?: AbortSignal): Promise<ReadonlyMap<RefName, Oid>> {
    const raw = await this.#listRaw(wanted, signal)
    if (raw !== null) return raw
    if (this.#localGitDir !== null) {
      const { runner, deadlineMs } = this.#options
      const args = ['for-each-ref', '--format=%(objectname)\t%(refname)', ...wanted]
      const result = await runner.run({ args, gitDir: this.#localGitDir, deadlineMs, signal })
      if (succeeded(result)) return readRefLines(result)
      if (result.ended !== null) throw classify(result, `listing refs of ${this.url}`)
      this.#localGitDir = null
    }
    const heads = wanted.every((ref) => ref.startsWith('refs/heads/')) ? ['--heads'] : []
    const patterns = wanted.map((ref) => (ref.endsWith('/') ? `${ref}*` : ref))
    return this.lsRemote([...heads, '--', this.url, ...patterns], signal)
  }

  async #listRaw(wanted: readonly RefName[], signal?: AbortSignal): Promise<ReadonlyMap<RefName, Oid> | null> {
    const client = this.#lsRefs
    if (client === null) return null
    const { deadlineMs, repository } = this.#options
    const answer = await this.#authorized(
      (authorization) =>
        client.list({ prefixes: wanted, objectFormat: repository.objectFormat, authorization, deadlineMs, signal }),
      signal,
    )
    if (answer === 'unsure') {
      this.#lsRefs = null
      client.close()
      return null
    }
    if (answer.size > 0) this.#speaksV2 = true
    // A server that knows no v2 may answer a bare flush, which must not pass for "every ref is gone".
    return answer.size > 0 || this.#speaksV2 ? answer : null
  }

  /** One try, and one more when the helpers know another credential. */
  async #authorized<T>(attempt: (header: Secret | null) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      const answer = await attempt(this.#credentials.header())
      await this.#credentials.confirm(signal)
      return answer
    } catch (error) {
      const isAuth = error instanceof SyncError && error.code === 'auth'
      if (!isAuth || !(await this.#credentials.refresh(signal))) throw error
    }
    const answer = await attempt(this.#credentials.header())
    await this.#credentials.confirm(signal)
    return answer
  }

  async #network(args: readonly string[], header: Secret | null, signal?: AbortSignal): Promise<GitResult> {
    const { url, runner, repository, deadlineMs, knownHosts, sshConfig, sshControlDir } = this.#options
    const origin = header ? new URL(url.text).origin : ''
    const result = await runner.run({
      // Scoped to the origin, so that the header can reach no other host.
      args: header ? [`--config-env=http.${origin}/.extraHeader=GITWIRE_AUTHORIZATION`, ...args] : args,
      gitDir: repository.dir,
      env: {
        GIT_SSH_COMMAND: sshCommand({ knownHosts, config: sshConfig, controlDir: sshControlDir }),
        ...(url.isLoopback ? { NO_PROXY: '*', no_proxy: '*' } : {}),
        ...(header ? { GITWIRE_AUTHORIZATION: `Authorization: ${header.text()}` } : {}),
      },
      ...(url.kind === 'file' || url.kind === 'http' ? { protocol: url.kind } : {}),
      deadlineMs,
      signal,
    })
    // A connection that went silent must not serve the next try.
    if (result.ended === 'deadline' && sshControlDir) await endSshConnections(sshControlDir)
    return result
  }

  /** A fetch has no size limit of its own: the growing pack is watched, and the fetch ended when it is too large. */
  async #fetchWithin(args: readonly string[], header: Secret | null, signal?: AbortSignal): Promise<GitResult> {
    const { repository, maxFetchBytes = MAX_FETCH_BYTES } = this.#options
    const limit = new AbortController()
    const timer = setInterval(() => {
      void temporaryBytes(repository.dir).then((bytes) => {
        if (bytes > maxFetchBytes) limit.abort()
      })
    }, WATCH_EVERY_MS)
    try {
      const either = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal
      const result = await this.#network(args, header, either)
      if (!succeeded(result)) await repository.sweepTemporary()
      if (limit.signal.aborted) throw syncError('too-large', `${this.url} sent more than ${maxFetchBytes} bytes`)
      return result
    } finally {
      clearInterval(timer)
    }
  }
}
