/** The nouns of a service: what the system runs when nobody is logged in, or from the login on. */

/** What a service runs and under what name. All paths are absolute. */
export interface ServiceSpec {
  /** 32 hex digits. */
  readonly fleet: string
  readonly node: string
  readonly bin: string
  /** What the service needs to find the same home as this shell: `GITWIRE_HOME`, `XDG_STATE_HOME`, `PATH`. */
  readonly env: Readonly<Record<string, string>>
}

/** A file and the commands around it. */
export interface ServicePlan {
  readonly path: string
  readonly text: string
  /** Run in this order after the file is written. */
  readonly enable: readonly (readonly string[])[]
  /** Run in this order before the file is removed. */
  readonly disable: readonly (readonly string[])[]
  /** Run after the file was removed. */
  readonly after: readonly (readonly string[])[]
  /** Answers with exit code 0 while the service runs. */
  readonly running: readonly string[]
  /** What a person should know beside it. */
  readonly notes: readonly string[]
}

/**
 * The file on the disk: as this version writes it, as another version or other options wrote it, changed by somebody
 * since, or none.
 */
export type FileState = 'current' | 'ours' | 'changed' | 'absent'
