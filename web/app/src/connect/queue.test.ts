import { expect, it } from 'vitest'
import { inOrder, mapAddress } from './queue'
import type { Table, Target } from './types'

const text = { zh: '物料', en: 'Item' }
const table = (name: string, entity: string | null): Table => ({
  name, label: null, columns: [], key: [], rows: null, sync: null, offer: entity === null ? null : { entity, label: text, why: text, score: 1 },
})
const target = (entity: string, master: boolean): Target => ({ entity, label: text, master, fields: [], keys: [], key: [] })

it('reads masters first, then in the order of the targets, then what nobody knows', () => {
  const targets = [target('sales_order', false), target('order_line', false), target('item', true)]
  const tables = [table('x', null), table('lines', 'order_line'), table('orders', 'sales_order'), table('goods', 'item')]
  expect(inOrder(tables, targets)).toEqual(['goods', 'orders', 'lines', 'x'])
})

it('keeps odd names whole in the address', () => {
  expect(mapAddress('erp', ['a b&c', '订单'])).toBe('/sources/erp/map?table=a+b%26c&then=%E8%AE%A2%E5%8D%95')
  expect(mapAddress('erp', ['a'], 'item')).toBe('/sources/erp/map?table=a&target=item')
})
