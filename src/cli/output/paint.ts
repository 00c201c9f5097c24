import picocolors from 'picocolors'

/** What a word means, never which colour it has. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'dim' | 'strong'

/** Colours `text`, or returns it unchanged where colour is off. */
export type Paint = (tone: Tone, text: string) => string

/** No colour at all: pipes, `NO_COLOR`, `--no-color`, tests. */
export const plainPaint: Paint = (_tone, text) => text

/** @param enabled colour only where a person looks at a terminal and did not decline it */
export function makePaint(enabled: boolean): Paint {
  if (!enabled) return plainPaint
  const colors = picocolors.createColors(true)
  return (tone, text) => {
    switch (tone) {
      case 'good':
        return colors.green(text)
      case 'warn':
        return colors.yellow(text)
      case 'bad':
        return colors.red(text)
      case 'dim':
        return colors.dim(text)
      case 'strong':
        return colors.bold(text)
      default:
        return text
    }
  }
}
