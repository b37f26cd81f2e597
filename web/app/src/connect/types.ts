import type { Text } from '../api/types'
import type { components } from '../api/schema'

type Schemas = components['schemas']

export type SettingValue = string | number | boolean | null
export type SettingsOf = Schemas['ConnectionChange']['settings']
export type Setting = Schemas['ConnectorSetting']
export type ConnectorKind = Schemas['ConnectorKind']
export type TryStep = Schemas['TryStep']
export type Connection = Schemas['ConnectionSettings']
export type Table = Schemas['SourceTable']
export type TableList = Schemas['TableList']
export type SampleRows = Schemas['TableRows']
export type TargetField = Schemas['TargetField']
export type Target = Schemas['Target']

export type Clean = 'text' | 'code' | 'document_no' | 'name'
export type Unknown = 'wait' | 'leave' | 'quiet'

/** How one field is filled, as in a sync's definition. */
export type Rule = {
  from?: string | string[] | null
  const?: string | number | boolean | null
  clean?: Clean
  choices?: Record<string, string | boolean>
  otherwise?: string | null
  master?: string | null
  ref?: string | null
  by?: string | null
  unknown?: Unknown
  times?: string | null
  default?: string | number | boolean | null
}
export type Identity = {
  code: string
  name: string
  founds?: boolean
  keys: Record<string, string>
  [more: string]: unknown
}
export type Stream = {
  name: string
  table?: string | null
  path?: string | null
  explode?: string | null
  key: string[]
  cursor?: { column: string; [more: string]: unknown } | null
  [more: string]: unknown
}

/** A sync's definition as data; what the page does not know it hands back untouched. */
export type Draft = {
  code: string
  label: Text
  source: string
  target: string
  stream: Stream
  identity?: Identity | null
  fields: Record<string, Rule>
  [more: string]: unknown
}
export type Suggestion = Omit<Schemas['Suggestion'], 'draft'> & { draft: Draft }
export type Preview = Omit<Schemas['PreviewAnswer'], 'rows'> & { rows: PreviewRow[] }
// The client's types lose the pairs of a tuple array.
export type PreviewRow = Omit<Schemas['PreviewRow'], 'source'> & { source: [string, string | null][] }
export type SyncState = Omit<Schemas['SyncPage'], 'draft'> & { draft: Draft }

export type Access = Schemas['SourceAccess']
