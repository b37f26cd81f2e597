import type { components } from './schema'

type Schemas = components['schemas']

export type Text = Schemas['Text']
export type ErrorBody = {
  code: string
  message: Text
  params: Record<string, unknown>
  request_id: string
}
export type Session = Schemas['Session']
export type Settings = Schemas['Settings']
export type User = Schemas['User']
export type UserCreated = Schemas['UserCreated']
export type Source = Schemas['Source']
export type SourceRow = Schemas['SourceRow']
export type Stage = Schemas['Stage']
export type StageCode = Stage['code']
export type SearchHit = Schemas['SearchHit']
export type OrderRow = Schemas['OrderRow']
export type OrderPage = Schemas['OrderPage']
export type Station = Schemas['Station']
export type WorkOrderLine = Schemas['WorkOrderLine']
export type MaterialUse = Schemas['MaterialUse']
export type Shipment = Schemas['Shipment']
export type Revision = Schemas['Revision']
export type Fact = Schemas['Fact']
export type Board = Schemas['Board']
export type Card = Schemas['Card']
export type CardFigure = Schemas['CardFigure']
export type SourceState = Schemas['SourceState']
export type StreamState = Schemas['StreamState']
export type RunRow = Schemas['RunRow']
export type RunPage = Schemas['RunPage']
export type SetAsideRow = Schemas['SetAsideRow']
export type MasterRow = Schemas['MasterRow']
export type MasterCode = MasterRow['entity']
export type MasterPage = Schemas['MasterPage']
export type Code = Schemas['Code']
export type UnknownCodeTask = Schemas['UnknownCodeTask']
export type DefinitionRow = Schemas['DefinitionRow']
