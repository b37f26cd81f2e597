import type { Text } from '../api/types'

/** The shapes of the connect routes. */

export type SettingValue = string | number | boolean | null
export type SettingsOf = Record<string, SettingValue | { set: boolean }>

export type Setting = {
  name: string
  label: Text
  help: Text | null
  type: 'text' | 'secret' | 'integer' | 'choice' | 'boolean'
  required: boolean
  default: SettingValue
  choices: { value: string; label: Text }[]
  advanced: boolean
  /** Shown only while the other settings have one of these values. */
  when?: Record<string, (string | boolean)[]> | null
}
export type ConnectorKind = { kind: string; label: Text; note: Text | null; settings: Setting[] }

export type TryStep = {
  step: 'address' | 'network' | 'login' | 'tables'
  ok: boolean | null
  message: Text
  detail: string | null
  milliseconds: number
}
export type TryAnswer = { steps: TryStep[] }
export type Connection = { connector: string; label: Text; package: string; settings: SettingsOf }

export type Column = { name: string; type: string; nullable: boolean; comment: string | null }
export type Offer = { entity: string; label: Text; why: Text }
export type Table = {
  name: string
  label: Text | null
  columns: Column[]
  key: string[]
  rows: number | null
  sync: string | null
  offer: Offer | null
}
export type TableList = { tables: Table[]; total: number; ledger: { label: Text; note: Text } | null }
export type SampleRows = { columns: string[]; rows: (string | null)[][] }

export type TargetField = {
  code: string
  label: Text
  type: string
  required: boolean
  choices: { value: string; label: Text }[]
  target: string | null
}
export type Target = {
  entity: string
  label: Text
  master: boolean
  fields: TargetField[]
  keys: { code: string; label: Text }[]
}

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
export type Suggestion = {
  draft: Draft
  why: Record<string, Text>
  sure: Record<string, number>
  others: { target: string; label: Text; score: number }[]
}

export type PreviewRow = {
  key: string
  source: [string, string | null][]
  result: { field: string; label: Text; value: unknown; shown: string | null }[]
  problem: Text | null
  waits: Text | null
}
export type Preview = {
  rows: PreviewRow[]
  read: number
  good: number
  set_aside: number
  reasons: { reason: Text; count: number }[]
  problems?: { field: string | null; message: Text }[]
}
export type SyncState = { code: string; draft: Draft; package: string; changed_at: string | null; version: number }

export type Access = {
  address: string
  login: string | null
  ledger: boolean
  writes: { table: string; actions: string[] }[]
  tables: {
    sync: string
    label: Text
    table: string
    statement: string
    every_seconds: number | null
    rows: number
    read: number
    seconds: number | null
    last_at: string | null
  }[]
}
