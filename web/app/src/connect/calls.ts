import { answer, api } from '../api/client'
import type { SourceState } from '../api/types'
import type {
  Access,
  Connection,
  ConnectorKind,
  Draft,
  Preview,
  SampleRows,
  SettingsOf,
  Suggestion,
  SyncState,
  TableList,
  Target,
  TryAnswer,
} from './types'
import type { Text } from '../api/types'

type Sent = Promise<{ data?: unknown; error?: unknown; response: Response }>
type Call = (path: string, init?: object) => Sent
// The routes of this folder are described by hand in types.ts.
const open = api as unknown as Record<'GET' | 'POST' | 'PUT' | 'DELETE', Call>
const ask = <T>(sent: Sent): Promise<T> => answer(sent) as Promise<T>
const at = (code: string, more: object = {}): object => ({ params: { path: { code }, ...more } })

export const connectors = (): Promise<ConnectorKind[]> => ask(open.GET('/api/connectors'))

export const tryConnection = (body: {
  source?: string
  connector: string
  settings: SettingsOf
}): Promise<TryAnswer> => ask(open.POST('/api/connections/try', { body }))

export const addSource = (body: {
  label: Text
  connector: string
  settings: SettingsOf
}): Promise<SourceState> => ask(open.POST('/api/sources', { body }))

export const connectionOf = (code: string): Promise<Connection> =>
  ask(open.GET('/api/sources/{code}/connection', at(code)))

export const saveConnection = (code: string, settings: SettingsOf): Promise<Connection> =>
  ask(open.PUT('/api/sources/{code}/connection', { ...at(code), body: { settings } }))

export const removeSource = (code: string, really: boolean): Promise<unknown> =>
  ask(open.DELETE('/api/sources/{code}', at(code, { query: really ? { really } : {} })))

export const tablesOf = (code: string, q: string, page: number): Promise<TableList> =>
  ask(open.GET('/api/sources/{code}/tables', at(code, { query: { page, ...(q && { q }) } })))

export const sampleRows = (code: string, name: string): Promise<SampleRows> =>
  ask(open.GET('/api/sources/{code}/tables/{name}/rows', { params: { path: { code, name } } }))

export const targets = (): Promise<Target[]> => ask(open.GET('/api/targets'))

export const suggest = (code: string, table: string, target?: string): Promise<Suggestion> =>
  ask(open.POST('/api/sources/{code}/suggest', { ...at(code), body: { table, ...(target && { target }) } }))

export const preview = (code: string, draft: Draft): Promise<Preview> =>
  ask(open.POST('/api/sources/{code}/preview', { ...at(code), body: { draft } }))

export const addSync = (source: string, draft: Draft): Promise<SyncState> =>
  ask(open.POST('/api/syncs', { body: { source, draft } }))

export const syncOf = (code: string): Promise<SyncState> => ask(open.GET('/api/syncs/{code}', at(code)))

export const saveSync = (code: string, draft: Draft, version: number): Promise<SyncState> =>
  ask(open.PUT('/api/syncs/{code}', { ...at(code), body: { draft, version } }))

export const removeSync = (code: string): Promise<unknown> => ask(open.DELETE('/api/syncs/{code}', at(code)))

export const accessOf = (code: string): Promise<Access> => ask(open.GET('/api/sources/{code}/access', at(code)))
