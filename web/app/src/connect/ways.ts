import type { Key } from '../i18n'
import type { SettingValue } from './types'

/** What a person may want to connect, and which connector with which presets does it. */
export type Way = {
  code: string
  kind: string
  preset: Record<string, SettingValue>
  icon: string
}

const DATABASE = 'M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3Zm0 0v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3'
const BOOK = 'M5 4h10a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM9 9h5M9 13h5'
const PLUG = 'M9 3v5M15 3v5M7 8h10v3a5 5 0 0 1-10 0zM12 16v5'
const FOLDER = 'M3 6h6l2 2h10v11H3zM8 14h8M8 11h8'
const WEB = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18'

export const WAYS: readonly Way[] = [
  { code: 'mysql', kind: 'sql', preset: { dialect: 'mysql' }, icon: DATABASE },
  { code: 'mssql', kind: 'sql', preset: { dialect: 'mssql' }, icon: DATABASE },
  { code: 'postgresql', kind: 'sql', preset: { dialect: 'postgresql' }, icon: DATABASE },
  { code: 'oracle', kind: 'sql', preset: { dialect: 'oracle' }, icon: DATABASE },
  { code: 'sqlite', kind: 'sql', preset: { dialect: 'sqlite' }, icon: DATABASE },
  { code: 'kingdee', kind: 'sql', preset: { dialect: 'mssql' }, icon: BOOK },
  { code: 'odbc', kind: 'odbc', preset: {}, icon: PLUG },
  { code: 'files', kind: 'files', preset: {}, icon: FOLDER },
  { code: 'http', kind: 'http', preset: {}, icon: WEB },
]

export const wayLabel = (way: Way): Key => `connect.way.${way.code}` as Key
export const wayNote = (way: Way): Key => `connect.way.${way.code}.note` as Key
