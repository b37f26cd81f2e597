import { Pagination } from 'antd'

/** The pages of a list; nothing when all of it fits on one. */
export function Pager({ of, turn }: { of: { page: number; page_size: number; total: number }; turn: (page: number) => void }) {
  return (
    <Pagination
      className="orders__pages"
      size="small"
      current={of.page}
      pageSize={of.page_size}
      total={of.total}
      showSizeChanger={false}
      hideOnSinglePage
      onChange={turn}
    />
  )
}
