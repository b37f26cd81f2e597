export default function MasterPage() { return null }
