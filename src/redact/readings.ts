/** The ways in which a text is read. */
import { encodedView, percentView, unescapedView } from './encoded.ts'
import { jsonView } from './json.ts'
import { plainOf } from './plain.ts'
import { plainView, type View } from './view.ts'

/** The text as it is read, then with one level of each encoding undone. */
export function readingsOf(text: string): View[] {
  const given = plainView(text)
  const read = plainOf(jsonView(given) ?? given)
  const undone = [unescapedView(read), percentView(read), encodedView(read)]
  return [read, ...undone.filter((view) => view !== null)]
}
